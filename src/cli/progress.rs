//! Progress of a run: a bar a stage on a terminal, plain lines elsewhere, and samples of the throughput for the run report.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::engine::plan::StageName;
use crate::engine::watch::{Sample, Step, Watch};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a sample is taken.
const SAMPLE_EVERY: Duration = Duration::from_millis(200);

/// Shows and records how a run goes on.
pub struct Progress {
    begun: Instant,
    quiet: bool,
    state: Mutex<State>,
}

struct State {
    bar: ProgressBar,
    now: Sample,
    total_bytes: u64,
    last_line: Instant,
    last_sample: Instant,
    samples: Vec<Sample>,
}

impl Progress {
    /// Begins now; `quiet` shows nothing.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let begun = Instant::now();
        let now = Sample { stage: StageName::Clean, at_ms: 0, bytes: 0, read: 0, kept: 0 };
        let bar = ProgressBar::hidden();
        Progress {
            begun,
            quiet,
            state: Mutex::new(State { bar, now, total_bytes: 0, last_line: begun, last_sample: begun, samples: Vec::new() }),
        }
    }

    /// Time since the run began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The samples taken so far.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.state().samples.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn is_on_terminal(&self) -> bool {
        !self.quiet && std::io::IsTerminal::is_terminal(&std::io::stderr())
    }

    fn take_sample(&self, state: &mut State) {
        state.now.at_ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        state.last_sample = Instant::now();
        state.samples.push(state.now);
    }

    fn line(&self, state: &State) -> String {
        let Sample { stage, bytes, read, kept, .. } = state.now;
        let of =
            if state.total_bytes > 0 { format!("{} of {}, ", HumanBytes(bytes), HumanBytes(state.total_bytes)) } else { String::new() };
        let counts = if read > 0 { format!("{read} read, {kept} kept, ") } else { String::new() };
        format!("{stage:<6} {of}{counts}{:.1} s", self.begun.elapsed().as_secs_f32())
    }
}

impl Watch for Progress {
    fn stage_begins(&self, stage: StageName, tasks: usize, bytes: u64) {
        let mut state = self.state();
        state.now = Sample { stage, at_ms: 0, bytes: 0, read: 0, kept: 0 };
        state.total_bytes = bytes;
        self.take_sample(&mut state);
        if !self.is_on_terminal() {
            return;
        }
        let (length, form) = match bytes {
            0 => (tasks as u64, "{prefix:<6} [{bar:32}] {pos}/{len} tasks  {msg}  {elapsed}"),
            _ => (bytes, "{prefix:<6} [{bar:32}] {bytes}/{total_bytes}  {bytes_per_sec}  {msg}  eta {eta}"),
        };
        let style = ProgressStyle::with_template(form).map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "));
        state.bar = ProgressBar::new(length).with_style(style).with_prefix(stage.word());
        state.bar.tick();
    }

    fn advanced(&self, _stage: StageName, step: Step) {
        let mut state = self.state();
        state.now.bytes += step.bytes;
        state.now.read += step.read;
        state.now.kept += step.kept;
        if state.last_sample.elapsed() >= SAMPLE_EVERY {
            self.take_sample(&mut state);
        }
        if state.total_bytes > 0 {
            state.bar.set_position(state.now.bytes);
        }
        let Sample { read, kept, .. } = state.now;
        state.bar.set_message(format!("{read} read, {kept} kept"));
        if !self.quiet && !self.is_on_terminal() && state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            eprintln!("{}", self.line(&state));
        }
    }

    fn task_done(&self, _stage: StageName) {
        let state = self.state();
        if state.total_bytes == 0 {
            state.bar.inc(1);
        }
    }

    fn stage_ends(&self, _stage: StageName) {
        let mut state = self.state();
        self.take_sample(&mut state);
        state.bar.finish_and_clear();
        if !self.quiet {
            eprintln!("{}", self.line(&state));
        }
    }
}
