//! How the program ends: the exit codes that the outside relies on.

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: done, but some input was quarantined, or something that was asked for was not found or not right.
    Quarantined,
    /// 2: not started; nothing was touched.
    NotStarted,
    /// 75: try again, for example when the disk has room or the other run has ended.
    TryAgain,
    /// 130: stopped by the user; the same command goes on.
    Stopped,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Quarantined => 1,
            Exit::NotStarted => 2,
            Exit::TryAgain => 75,
            Exit::Stopped => 130,
        })
    }
}

/// How an error ends the program: what may pass by itself is worth another try, all else was not started.
#[must_use]
pub fn exit_of(error: &anyhow::Error) -> Exit {
    use crate::passes::JobError;
    use crate::workspace::WorkspaceError;
    if let Some(JobError::Stopped) = error.downcast_ref() {
        return Exit::Stopped;
    }
    if let Some(JobError::Remote(error)) = error.downcast_ref()
        && error.is_passing()
    {
        return Exit::TryAgain;
    }
    if let Some(error) = error.downcast_ref::<crate::home::HomeError>()
        && error.is_passing()
    {
        return Exit::TryAgain;
    }
    if let Some(WorkspaceError::Busy { .. }) = error.downcast_ref() {
        return Exit::TryAgain;
    }
    let disk_full = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded));
    if disk_full { Exit::TryAgain } else { Exit::NotStarted }
}
