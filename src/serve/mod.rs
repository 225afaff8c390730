//! `tamis serve`: a page for researchers, and the console of takedowns for officers.
//!
//! Pages are made on the server and work without a script; the one script in the house keeps the line of the running night up to date and
//! moves the focus by keys. What crawled pages say is only ever a text node, or stands in a frame without scripts, forms and network
//! ([`guard`] has the headers). Whoever has no token sees nothing ([`door`]); whoever erases is seen by a second officer ([`console`]).
//!
//! One thread serves the connections; whatever reads files works on threads beside it, a few at a time ([`house::House::look`]), so
//! neither many visitors nor one slow question take all memory. What is counted of shards is held in memory alone ([`counted`]): no file
//! here could keep what a takedown erased.

mod assets;
mod audit;
mod bucket;
mod console;
mod counted;
mod door;
mod failure;
mod guard;
mod house;
mod listener;
mod live;
mod messages;
pub mod metrics;
mod shelf;
mod views;
mod visit;

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use door::Pass;

use crate::engine::watch::Stop;
use crate::store::StoreError;
use crate::workspace::Workspace;
use house::House;

/// Threads that read files: those of [`house::LOOKS_AT_ONCE`], one that carries out takedowns, one that counts, one that watches.
const THREADS_MAX: usize = house::LOOKS_AT_ONCE + 3;
/// How often the wish to stop is looked for.
const STOP_LOOK_MS: u64 = 50;
/// How long a stop waits for answers under way.
const STOP_WAIT_MS: u64 = 5_000;

/// What a server needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The workspace that it shows.
    pub workspace: Workspace,
    /// Names of officers: short handles, none twice.
    pub officers: Vec<String>,
    /// Key of the suppression list.
    pub suppression_key: PathBuf,
    /// Key that signs receipts.
    pub signing_key: PathBuf,
    /// Folder of plans that wait for approval, outside the workspace.
    pub pending: PathBuf,
    /// Whether a proxy in front of it speaks TLS, so that cookies are only sent there.
    pub behind_proxy: bool,
    /// Whether `/metrics` answers everybody.
    pub metrics: bool,
    /// The clock.
    pub now: fn() -> jiff::Timestamp,
}

/// Why a server cannot begin, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address.
    #[error("cannot listen on {listen}: {source}; name another address with --listen")]
    Listen { listen: SocketAddr, source: std::io::Error },
    /// The system.
    #[error("the server cannot work: {0}")]
    System(#[from] std::io::Error),
    /// A folder.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server that listens and has let nobody in yet.
pub struct Server {
    listener: TcpListener,
    house: Arc<House>,
    passes: Vec<Pass>,
}

impl Server {
    /// Begins to listen, and makes the tokens.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub fn bind(settings: Settings) -> Result<Server, ServeError> {
        let listen = settings.listen;
        let listener = TcpListener::bind(listen).map_err(|source| ServeError::Listen { listen, source })?;
        listener.set_nonblocking(true)?;
        let (house, passes) = House::open(settings, listener.local_addr()?.port())?;
        Ok(Server { listener, house: Arc::new(house), passes })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn address(&self) -> Result<SocketAddr, ServeError> {
        Ok(self.listener.local_addr()?)
    }

    /// Who may come in, with their tokens.
    #[must_use]
    pub fn passes(&self) -> &[Pass] {
        &self.passes
    }

    /// Answers until a stop is wished; answers under way are finished first, for some seconds.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn run(self, stop: &Stop) -> Result<(), ServeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(THREADS_MAX).build()?;
        let house = Arc::clone(&self.house);
        let served = runtime.block_on(async {
            let listener = listener::Bounded::new(tokio::net::TcpListener::from_std(self.listener)?);
            let watcher = tokio::spawn(live::watch(Arc::clone(&house)));
            let ended = Arc::clone(&house);
            let serving = axum::serve(listener, views::routes(house)).with_graceful_shutdown(async move { ended.until_stopped().await });
            let wished = async {
                while !stop.wished() {
                    tokio::time::sleep(Duration::from_millis(STOP_LOOK_MS)).await;
                }
                self.house.stop();
                tokio::time::sleep(Duration::from_millis(STOP_WAIT_MS)).await;
            };
            tokio::select! {
                served = serving => served?,
                () = wished => {}
            }
            watcher.abort();
            Ok(())
        });
        // A takedown under way is finished: it may be killed at any moment, but need not be.
        drop(runtime);
        served
    }
}
