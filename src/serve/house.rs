//! What all questions share: the workspace, the door, what was read and counted, and how many may look at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, watch};

use super::audit::Audit;
use super::console::Console;
use super::counted::Counted;
use super::door::{Door, Pass};
use super::failure::Failure;
use super::live::Running;
use super::metrics::Kept;
use super::shelf::{Shelf, Snapshot};
use super::{ServeError, Settings};

/// Questions that read files at once; others wait. Each may hold some row groups of text.
pub(super) const LOOKS_AT_ONCE: usize = 4;

/// What all questions share.
pub(super) struct House {
    pub(super) settings: Settings,
    pub(super) door: Door,
    pub(super) audit: Audit,
    pub(super) counted: Counted,
    pub(super) console: Console,
    pub(super) metrics: Kept,
    /// The night under way, if there is one.
    pub(super) running: watch::Sender<Option<Arc<Running>>>,
    /// Name of the cookie: browsers do not tell servers on two ports apart.
    pub(super) cookie: String,
    shelf: Shelf,
    looks: Semaphore,
    stopped: watch::Sender<bool>,
    /// The same for threads.
    is_stopped: AtomicBool,
}

impl House {
    pub(super) fn open(settings: Settings, port: u16) -> Result<(House, Vec<Pass>), ServeError> {
        let (door, passes) = Door::new(&settings.officers)?;
        let house = House {
            door,
            audit: Audit::new(settings.workspace.audit(), settings.now),
            counted: Counted::default(),
            console: Console::open(&settings.pending)?,
            metrics: Kept::default(),
            running: watch::Sender::new(None),
            cookie: format!("tamis-{port}"),
            shelf: Shelf::default(),
            looks: Semaphore::new(LOOKS_AT_ONCE),
            stopped: watch::Sender::new(false),
            is_stopped: AtomicBool::new(false),
            settings,
        };
        Ok((house, passes))
    }

    /// What the manifests say now.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, Failure> {
        self.shelf.now(&self.settings.workspace)
    }

    /// Does `work`, which reads files, on a thread of its own when one is free.
    pub(super) async fn look<T: Send + 'static>(
        self: &Arc<House>,
        work: impl FnOnce(&House) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let _one = self.looks.acquire().await?;
        let house = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&house)).await?
    }

    /// Says that it is time to end.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.stopped.send_replace(true);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }

    /// Ends when it is time to.
    pub(super) async fn until_stopped(&self) {
        let mut stopped = self.stopped.subscribe();
        // The sender is ours, so it cannot be gone.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}
