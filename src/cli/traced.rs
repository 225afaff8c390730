//! What a night tells OpenTelemetry while it works: a span for each thing that it does. Without an endpoint nothing is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::exit::{Exit, exit_of};
use crate::engine::plan::{StageName, TaskName};
use crate::engine::watch::{Step, Watch};
use crate::night::record::Record;
use crate::night::trace::{Attributes, Open, Trace};

/// The trace of a night, with the span of the night itself.
pub(super) struct Tracing {
    pub(super) trace: Trace,
    night: Open,
}

impl Tracing {
    /// The trace of this try of the night, if the settings name an endpoint.
    pub(super) fn begin(endpoint: &str, record: &Record) -> Option<Tracing> {
        if endpoint.is_empty() {
            return None;
        }
        let now = u64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0);
        let trace = Trace::begin(now, &[&record.dataset, &record.date, &record.tries.to_string(), &std::process::id().to_string()]);
        let night = trace.open("night", None);
        Some(Tracing { trace, night })
    }

    /// Begins a part of the night.
    pub(super) fn open(&self, name: &str) -> Open {
        self.trace.open(name, Some(&self.night))
    }

    /// Ends the night.
    pub(super) fn end(&self, record: &Record) {
        let tally = &record.tally;
        let attributes = vec![
            ("tamis.dataset", json!(record.dataset)),
            ("tamis.night", json!(record.date)),
            ("tamis.state", json!(record.state.word())),
            ("tamis.tries", json!(record.tries)),
            ("tamis.documents.read", json!(tally.read)),
            ("tamis.documents.kept", json!(tally.kept)),
            ("tamis.set_aside", json!(tally.quarantined + tally.damages)),
            ("tamis.alarms", json!(record.alarms.len())),
            ("tamis.spans.left_out", json!(self.trace.left_out())),
        ];
        self.trace.close(self.night.clone(), attributes, Some(record.why.as_str()).filter(|why| !why.is_empty()));
    }
}

/// What stopped something, in a word: an error itself may name files.
pub(super) fn word(error: &anyhow::Error) -> &'static str {
    match exit_of(error) {
        Exit::Stopped => "stopped",
        Exit::TryAgain => "try-again",
        _ => "error",
    }
}

/// Listens to the job of one plan, and passes on what it hears.
pub(super) struct Listener<'a> {
    to: &'a dyn Watch,
    trace: &'a Trace,
    plan: Open,
    stage: Mutex<Option<(StageName, Open, Attributes)>>,
    tasks: Mutex<BTreeMap<TaskName, Open>>,
}

impl<'a> Listener<'a> {
    /// Listens in the name of `to`, to the plan `id`.
    pub(super) fn new(to: &'a dyn Watch, tracing: &'a Tracing) -> Listener<'a> {
        Listener { to, trace: &tracing.trace, plan: tracing.open("plan"), stage: Mutex::default(), tasks: Mutex::default() }
    }

    fn close_stage(&self, failed: Option<&str>) {
        if let Some((_, open, attributes)) = self.stage.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.trace.close(open, attributes, failed);
        }
    }

    /// Ends the plan `id`, and the stage that it stopped in.
    pub(super) fn end(self, id: &str, failed: Option<&'static str>) {
        self.close_stage(failed);
        self.trace.close(self.plan.clone(), vec![("tamis.plan", json!(id))], failed);
    }
}

impl Watch for Listener<'_> {
    fn stage_begins(&self, stage: StageName, tasks: usize, bytes: u64) {
        self.to.stage_begins(stage, tasks, bytes);
        let attributes = vec![("tamis.stage", json!(stage.word())), ("tamis.tasks", json!(tasks)), ("tamis.input.bytes", json!(bytes))];
        let open = self.trace.open("stage", Some(&self.plan));
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some((stage, open, attributes));
    }

    fn advanced(&self, stage: StageName, step: Step) {
        self.to.advanced(stage, step);
    }

    fn task_begins(&self, task: TaskName) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let open = self.trace.open("task", stage.as_ref().map_or(Some(&self.plan), |(_, open, _)| Some(open)));
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).insert(task, open);
    }

    fn task_ended(&self, task: TaskName, failed: Option<&'static str>) {
        if let Some(open) = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&task) {
            self.trace.close(open, vec![("tamis.stage", json!(task.stage.word())), ("tamis.task", json!(task.index))], failed);
        }
    }

    fn task_done(&self, stage: StageName) {
        self.to.task_done(stage);
    }

    fn stage_ends(&self, stage: StageName) {
        self.close_stage(None);
        self.to.stage_ends(stage);
    }
}
