//! The program: parse, run, exit code. All else is in the library.

#![expect(clippy::print_stderr, reason = "the program's last words")]

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tamis::cli::exit::{Exit, exit_of};
use tamis::cli::{Cli, run};
use tamis::engine::flow::is_guarded;
use tamis::engine::watch::Stop;

/// Extraction and tokenising allocate many small strings on many threads; the system's allocator took a quarter more CPU time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let stop = Stop::default();
    listen(&stop);
    quiet_panics();
    match run(cli, stop) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = exit_of(&error);
            if exit == Exit::Stopped {
                eprintln!("stopped; the same command goes on where this one ended");
            } else {
                eprintln!("error: {error:#}");
            }
            exit.into()
        }
    }
}

/// The first Ctrl-C asks for a clean end, the second ends at once: whatever is not committed is thrown away either way.
fn listen(stop: &Stop) {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        let wished = Arc::clone(&stop.0);
        let at_once = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&wished));
        if let Err(error) = at_once.and_then(|_| signal_hook::flag::register(signal, wished)) {
            eprintln!("note: cannot listen to signal {signal} ({error}); Ctrl-C will end at once");
        }
    }
}

/// A panic inside a stage is caught, counted and listed in the quarantine; it needs no second telling. And whoever reads our output may
/// stop to, as `head` does: then there is nobody to tell.
fn quiet_panics() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(0);
        }
        if !is_guarded() {
            loud(panic);
        }
    }));
}
