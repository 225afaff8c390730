//! An engine profile: what a site's scheduler wants to know, in a TOML file beside the recipe. Nothing of it reaches a plan or a shard.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::chain::Step;
use crate::size::ByteSize;

/// What jobs are like.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Account that is charged.
    pub account: Option<String>,
    /// Partition of the site.
    pub partition: Option<String>,
    /// Quality of service.
    pub qos: Option<String>,
    /// Wall time of a job, in minutes.
    pub time_minutes: NonZeroU32,
    /// Cores of a job.
    pub cpus: NonZeroU32,
    /// Memory of a job, as the scheduler is asked for it.
    pub memory: Option<ByteSize>,
    /// Memory that tamis stays under; nine tenths of `memory` where it is not given, and without both the default of `tamis work`.
    pub memory_max: Option<ByteSize>,
    /// Leases of a step at most: jobs that are submitted for it.
    pub leases_max: NonZeroU32,
    /// Jobs of one array that may run at the same time.
    pub running_max: Option<NonZeroU32>,
    /// Elements of one job array at most. Slurm is asked for its own limit as well.
    pub array_max: NonZeroU32,
    /// How often a lease that ran out of time puts itself into the queue again.
    pub restarts_max: u32,
    /// A task is taken over whose worker has not been heard of for so many seconds.
    pub steal_after_s: u64,
    /// So many seconds before its wall time a lease takes no task any more. At most a quarter of the wall time.
    pub warning_s: u32,
    /// Folder on a disk of the node's own, where tasks are tried, such as `$TMPDIR`; variables of the node's environment stand for their values.
    pub scratch: Option<String>,
    /// The program; where it is not given, the one that submits.
    pub tamis: Option<PathBuf>,
    /// Lines of shell to run before the program: modules, a container's environment.
    pub before: Vec<String>,
    /// Environment of the program.
    pub environment: BTreeMap<String, String>,
    /// Further options of the scheduler, as `sbatch` takes them.
    pub options: Vec<String>,
    /// What is different in step decide.
    pub decide: Overrides,
    /// What is different in step emit.
    pub emit: Overrides,
    /// Where the Ray cluster is; its own environment variable where it is not given.
    pub address: Option<String>,
}

/// What is different in one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overrides {
    /// Partition of the site.
    pub partition: Option<String>,
    /// Wall time of a job, in minutes.
    pub time_minutes: Option<NonZeroU32>,
    /// Cores of a job.
    pub cpus: Option<NonZeroU32>,
    /// Memory of a job.
    pub memory: Option<ByteSize>,
    /// Memory that tamis stays under.
    pub memory_max: Option<ByteSize>,
    /// Leases of the step at most.
    pub leases_max: Option<NonZeroU32>,
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the engine profile `{path}`: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// It is no profile.
    #[error("the engine profile `{path}` is not right: {source}", path = path.display())]
    Format { path: PathBuf, source: Box<toml::de::Error> },
    /// A value that would break the batch script's lines.
    #[error("`{key}` in the engine profile holds {what}; {remedy}")]
    Value { key: String, what: &'static str, remedy: &'static str },
}

const fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).expect("the numbers below are not 0")
}

impl Default for Profile {
    fn default() -> Profile {
        Profile {
            account: None,
            partition: None,
            qos: None,
            time_minutes: number(60),
            cpus: number(1),
            memory: None,
            memory_max: None,
            leases_max: number(100),
            running_max: None,
            array_max: number(1000),
            restarts_max: 20,
            steal_after_s: 300,
            warning_s: 120,
            scratch: None,
            tamis: None,
            before: Vec::new(),
            environment: BTreeMap::new(),
            options: Vec::new(),
            decide: Overrides::default(),
            emit: Overrides::default(),
            address: None,
        }
    }
}

impl Profile {
    /// Reads the profile at `path`.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn load(path: &Path) -> Result<Profile, ProfileError> {
        let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Read { path: path.to_owned(), source })?;
        let profile: Profile =
            toml::from_str(&text).map_err(|source| ProfileError::Format { path: path.to_owned(), source: Box::new(source) })?;
        profile.check()?;
        Ok(profile)
    }

    fn check(&self) -> Result<(), ProfileError> {
        let words = [("account", &self.account), ("partition", &self.partition), ("qos", &self.qos)];
        let words = words.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        for (key, value) in words.chain(self.options.iter().map(|option| ("options", option))) {
            if value.is_empty() || value.contains(['\n', '\r']) {
                let (what, remedy) = ("nothing, or more than one line", "give one line, or leave the key out");
                return Err(ProfileError::Value { key: key.to_owned(), what, remedy });
            }
        }
        if self
            .scratch
            .as_ref()
            .is_some_and(|folder| folder.is_empty() || folder.contains(['"', '`', '\\', '\n', '\r']) || folder.contains("$("))
        {
            let (what, remedy) = ("nothing, or what a shell would take for more than a path", "give a path such as /scratch/$USER");
            return Err(ProfileError::Value { key: "scratch".to_owned(), what, remedy });
        }
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        match self.environment.keys().find(|name| !is_name(name)) {
            None => Ok(()),
            Some(name) => {
                let (what, remedy) = ("a name that no variable of a shell can have", "use letters, digits and _");
                Err(ProfileError::Value { key: format!("environment.{name}"), what, remedy })
            }
        }
    }

    /// The profile of one step.
    #[must_use]
    pub fn of(&self, step: Step) -> Profile {
        let none = Overrides::default();
        let other = match step {
            Step::Clean => &none,
            Step::Decide | Step::Seal => &self.decide,
            Step::Emit => &self.emit,
        };
        Profile {
            partition: other.partition.clone().or_else(|| self.partition.clone()),
            time_minutes: other.time_minutes.unwrap_or(self.time_minutes),
            cpus: other.cpus.unwrap_or(self.cpus),
            memory: other.memory.or(self.memory),
            // A step with a memory of its own is not bound by what fits the others.
            memory_max: other.memory_max.or(if other.memory.is_some() { None } else { self.memory_max }),
            leases_max: other.leases_max.unwrap_or(self.leases_max),
            ..self.clone()
        }
    }

    /// Seconds before its wall time at which a job is warned.
    #[must_use]
    pub fn warned_before_s(&self) -> u32 {
        self.warning_s.min(self.time_minutes.get().saturating_mul(15))
    }

    /// Seconds for which a job may take tasks.
    #[must_use]
    pub fn work_s(&self) -> u64 {
        u64::from(self.time_minutes.get()) * 60 - u64::from(self.warned_before_s())
    }

    /// What tamis may take of a job's memory.
    #[must_use]
    pub fn may_take(&self) -> Option<ByteSize> {
        self.memory_max.or_else(|| self.memory.map(|memory| ByteSize(memory.0 / 10 * 9)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        toml::from_str(text).expect("a profile")
    }

    #[test]
    fn a_step_can_be_different() {
        let all = profile(
            "cpus = 4\nmemory = \"8 GiB\"\nmemory_max = \"6 GB\"\npartition = \"small\"\n[decide]\ncpus = 1\nmemory = \"100 GB\"\npartition = \"large\"\n",
        );
        let decide = all.of(Step::Decide);
        assert_eq!((decide.cpus.get(), decide.may_take(), decide.partition.as_deref()), (1, Some(ByteSize(90_000_000_000)), Some("large")));
        assert_eq!((all.of(Step::Emit), all.may_take()), (Profile { ..all.clone() }, Some(ByteSize(6_000_000_000))));
    }

    #[test]
    fn a_job_is_warned_in_time_however_short_it_is() {
        for (minutes, before, work) in [(60, 120, 3480), (1, 15, 45), (4, 60, 180)] {
            let profile = Profile { time_minutes: number(minutes), ..Profile::default() };
            assert_eq!((profile.warned_before_s(), profile.work_s()), (before, work), "{minutes} min");
        }
    }

    #[test]
    fn the_profiles_of_sites_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/engines");
        let profiles: Vec<PathBuf> = std::fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("an entry").path()).collect();
        assert!(profiles.len() >= 4, "{profiles:?}");
        for path in profiles {
            let profile = Profile::load(&path).expect("a profile");
            assert!(profile.account.is_some() && profile.work_s() > 0, "{}", path.display());
        }
    }

    #[test]
    fn a_profile_that_cannot_be_right_says_what_to_change() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |text: &str, says: &str| {
            let path = folder.path().join("p.toml");
            std::fs::write(&path, text).expect("room");
            let error = Profile::load(&path).expect_err(text).to_string();
            assert!(error.contains(says), "{error}");
        };
        check("acount = \"p1\"", "unknown field `acount`");
        check("cpus = 0", "nonzero");
        check("account = \"\"", "`account` in the engine profile holds nothing");
        check("options = [\"--exclusive\\nrm\"]", "more than one line");
        check("environment = { \"A B\" = \"1\" }", "environment.A B");
        check("memory = \"much\"", "is no size");
        check("scratch = \"$(rm -r x)\"", "more than a path");
        let error = Profile::load(&folder.path().join("none.toml")).expect_err("absent").to_string();
        assert!(error.contains("cannot read the engine profile"), "{error}");
    }
}
