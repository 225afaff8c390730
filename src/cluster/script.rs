//! The text of batch scripts: one a step, the same for every lease of it; and one that submits them all, for sites where that is done by hand.
//!
//! A script passes USR1 (time is nearly over) and TERM on to tamis, and puts itself into the queue again when tamis ended only because of
//! the time. The restart count tells tamis that claims of its earlier life are its own.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::chain::{After, Array, Step, Submission};
use super::profile::Profile;

/// What all scripts of a plan share.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The plan's id.
    pub id: String,
    /// The plan's file, absolute.
    pub plan: PathBuf,
    /// Folder from which names of inputs are read, absolute.
    pub folder: PathBuf,
    /// Folder for scripts and what jobs say, absolute.
    pub logs: PathBuf,
    /// The program, absolute.
    pub tamis: PathBuf,
    /// Folder of keys, if one was given.
    pub keys: Option<PathBuf>,
    /// What the site wants to know.
    pub profile: Profile,
}

/// Name of a step's jobs: by it they are found again, whoever submitted them.
#[must_use]
pub fn job_name(id: &str, step: Step) -> String {
    format!("tamis-{id}-{step}")
}

/// `text` as one word of a shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:%+@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

impl Frame {
    /// The script's file.
    #[must_use]
    pub fn script_path(&self, step: Step) -> PathBuf {
        self.logs.join(format!("{step}.sbatch"))
    }

    /// The script of `step`, whose work is cut into so many leases. Its argument is the number of the first lease of the array.
    #[must_use]
    pub fn script(&self, step: Step, leases: u32) -> String {
        let profile = self.profile.of(step);
        let mut text = String::from("#!/bin/bash\n");
        for option in self.options(step, &profile) {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        let _ = writeln!(text, "\nset -u\ncd {} || exit 2", path(&self.folder));
        for (name, value) in &profile.environment {
            let _ = writeln!(text, "export {name}={}", quoted(value));
        }
        for line in &profile.before {
            let _ = writeln!(text, "{line}");
        }
        text.push_str(&self.work(step, &profile, leases));
        text.push_str(if step == Step::Seal { SEALED } else { WORKED });
        text.replace("RESTARTS_MAX", &profile.restarts_max.to_string())
    }

    fn options(&self, step: Step, profile: &Profile) -> Vec<String> {
        let log = if step == Step::Seal { "seal-%j.log".to_owned() } else { format!("{step}-%A_%a.log") };
        let log = self.logs.join(log);
        let mut options = vec![
            format!("--job-name={}", job_name(&self.id, step)),
            format!("--output=\"{}\"", log.display()),
            "--open-mode=append".to_owned(),
            format!("--time={}", profile.time_minutes),
            "--nodes=1".to_owned(),
            "--ntasks=1".to_owned(),
            format!("--cpus-per-task={}", profile.cpus),
            "--requeue".to_owned(),
            format!("--signal=B:USR1@{}", profile.warned_before_s()),
        ];
        options.extend(profile.memory.map(|memory| format!("--mem={}M", memory.0.div_ceil(1 << 20))));
        let words = [("account", &profile.account), ("partition", &profile.partition), ("qos", &profile.qos)];
        options.extend(words.into_iter().filter_map(|(name, value)| Some(format!("--{name}={}", value.as_ref()?))));
        options.extend(profile.options.iter().cloned());
        options
    }

    fn work(&self, step: Step, profile: &Profile, leases: u32) -> String {
        let mut words = vec![path(&self.tamis)];
        match step.stage() {
            None => words.extend(["seal".to_owned(), "--plan".to_owned(), path(&self.plan)]),
            Some(stage) => {
                words.extend(["work".to_owned(), "--plan".to_owned(), path(&self.plan), format!("--until {stage}")]);
                words.push(format!("--lease \"$(( ${{1:-0}} + ${{SLURM_ARRAY_TASK_ID:-0}} ))/{leases}\""));
                words.push("--leave-others".to_owned());
                words.push(format!("--steal-after {} --time-max {}", profile.steal_after_s, profile.work_s()));
                words.push("--as \"slurm $SLURM_JOB_ID\" --life \"$life\"".to_owned());
            }
        }
        words.push(format!("--threads {}", profile.cpus));
        if step.stage().is_some() {
            words.extend(profile.scratch.as_deref().map(|folder| format!("--scratch \"{folder}\"")));
        }
        words.extend(profile.may_take().map(|memory| format!("--memory-max {}", memory.0)));
        words.extend(self.keys.as_deref().map(|keys| format!("--keys {}", path(keys))));
        format!("life=${{SLURM_RESTART_COUNT:-0}}\n{} &\nworker=$!\n", words.join(" \\\n    "))
    }

    /// What `sbatch` is told beside the script: the array, and what it waits for. `running_max` of the profile bounds each array.
    #[must_use]
    pub fn words(&self, submission: &Submission, array: Array, jobs: &[String]) -> Vec<String> {
        let mut words = vec!["--parsable".to_owned()];
        if submission.step != Step::Seal {
            let running = self.profile.running_max.map(|most| format!("%{most}")).unwrap_or_default();
            words.push(format!("--array=0-{}{running}", array.leases - 1));
        }
        if !jobs.is_empty() {
            words.push(format!("--dependency=afterok:{}", jobs.join(":")));
            words.push("--kill-on-invalid-dep=yes".to_owned());
        }
        words.push(self.script_path(submission.step).to_string_lossy().into_owned());
        words.push(array.first.to_string());
        words
    }

    /// The script that submits all of them.
    #[must_use]
    pub fn submit_all(&self, submissions: &[Submission]) -> String {
        let mut text = format!(
            "#!/bin/bash\n# Submits what is left of plan {}. `tamis status` tells how far it is; made anew by the same `tamis run --engine print`.\n\
             set -euo pipefail\nsubmit() {{ local id; id=$(sbatch \"$@\"); echo \"${{id%%;*}}\"; }}\n",
            self.id
        );
        for submission in submissions {
            let jobs = match &submission.after {
                After::Nothing => Vec::new(),
                After::Jobs(jobs) => jobs.clone(),
                After::Step(step) => {
                    let arrays = submissions.iter().find(|other| other.step == *step).map_or(0, |other| other.arrays.len());
                    (0..arrays).map(|number| format!("${step}_{number}")).collect()
                }
            };
            for (number, array) in submission.arrays.iter().enumerate() {
                let words = self.words(submission, *array, &jobs);
                let shown = words.iter().map(|word| if word.contains('$') { format!("\"{word}\"") } else { quoted(word) });
                let _ = writeln!(text, "{}_{number}=$(submit {})", submission.step, shown.collect::<Vec<_>>().join(" "));
            }
            let _ = writeln!(text, "echo \"{}: {} jobs\"", submission.step, submission.leases);
        }
        text
    }
}

/// Waits for tamis and passes signals on. `wait` ends at each signal that is passed on; asked again once tamis has ended it tells how that was, or, in
/// some versions of bash, 127 because it told so before.
macro_rules! wait {
    () => {
        r#"trap 'kill -USR1 "$worker" 2>/dev/null' USR1
trap 'kill -TERM "$worker" 2>/dev/null' TERM
while :; do
    wait "$worker"
    code=$?
    kill -0 "$worker" 2>/dev/null || break
done
wait "$worker" 2>/dev/null
last=$?
[ "$last" -eq 127 ] || code=$last
"#
    };
}

/// How a lease ends: well, also where input was set aside (1); again where only the time was over (75).
const WORKED: &str = concat!(
    wait!(),
    r#"case $code in
0 | 1) exit 0 ;;
75)
    if [ "$life" -lt RESTARTS_MAX ] && scontrol requeue "$SLURM_JOB_ID"; then
        echo "into the queue again, for the $((life + 1)). time"
        sleep 30
    fi
    ;;
esac
exit "$code"
"#
);

/// How publication ends.
const SEALED: &str = concat!(wait!(), "[ \"$code\" -eq 1 ] && exit 0\nexit \"$code\"\n");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::chain::{Standing, submissions};

    fn frame(profile: &str) -> Frame {
        Frame {
            id: "00aa".to_owned(),
            plan: "/scratch/my corpus/_tamis/plans/00aa.json".into(),
            folder: "/home/it's".into(),
            logs: "/scratch/my corpus/_tamis/logs/00aa".into(),
            tamis: "/opt/tamis".into(),
            keys: None,
            profile: toml::from_str(profile).expect("a profile"),
        }
    }

    /// What bash says of a script without running it.
    fn is_shell(text: &str) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("script");
        std::fs::write(&file, text).expect("room");
        let checked = std::process::Command::new("bash").arg("-n").arg(&file).output().expect("bash is there");
        assert!(checked.status.success(), "{}\n{text}", String::from_utf8_lossy(&checked.stderr));
    }

    #[test]
    fn a_script_says_what_the_site_wants_to_know() {
        let text = frame("account = \"p1\"\ncpus = 8\nmemory = \"16 GiB\"\noptions = [\"--exclusive\"]\nbefore = [\"module load x\"]\nenvironment = { A = \"b c\" }")
            .script(Step::Clean, 7);
        for line in [
            "#SBATCH --account=p1",
            "#SBATCH --job-name=tamis-00aa-clean",
            "#SBATCH --cpus-per-task=8",
            "#SBATCH --mem=16384M",
            "#SBATCH --signal=B:USR1@120",
            "#SBATCH --exclusive",
            r"cd '/home/it'\''s' || exit 2",
            "module load x",
            "export A='b c'",
            r#"    --lease "$(( ${1:-0} + ${SLURM_ARRAY_TASK_ID:-0} ))/7" \"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(!text.contains("partition") && !text.contains("--scratch"), "what the profile leaves out is the site's choice");
        is_shell(&text);
        let text = frame("scratch = \"$TMPDIR/tamis\"").script(Step::Emit, 1);
        assert!(text.contains("    --scratch \"$TMPDIR/tamis\""), "the node says what its variables stand for\n{text}");
        is_shell(&text);
        is_shell(&frame("").script(Step::Seal, 1));
    }

    #[test]
    fn the_script_that_submits_all_waits_for_every_array_of_the_step_before() {
        let chain: Vec<Standing> = Step::ALL.into_iter().map(|step| Standing { step, open: 5, jobs: Vec::new() }).collect();
        let frame = frame("running_max = 4");
        let text = frame.submit_all(&submissions(&chain, &frame.profile, 2));
        is_shell(&text);
        for line in [
            "clean_2=$(submit --parsable --array=0-0%4 '/scratch/my corpus/_tamis/logs/00aa/clean.sbatch' 4)",
            "decide_0=$(submit --parsable --array=0-0%4 \"--dependency=afterok:$clean_0:$clean_1:$clean_2\" --kill-on-invalid-dep=yes \
             '/scratch/my corpus/_tamis/logs/00aa/decide.sbatch' 0)",
            "seal_0=$(submit --parsable \"--dependency=afterok:$emit_0:$emit_1:$emit_2\" --kill-on-invalid-dep=yes \
             '/scratch/my corpus/_tamis/logs/00aa/seal.sbatch' 0)",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
