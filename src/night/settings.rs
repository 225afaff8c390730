//! How this machine does its nights: a TOML file beside the recipe, not part of it.
//!
//! A recipe is versioned like code and its hash names the data set; how long a night may take and whose mailbox hears of it must not make
//! another data set, and the address of a webhook is no business of whoever reads the recipe.

use std::path::Path;

use serde::Deserialize;

use crate::size::ByteSize;

/// All settings; each has a default, so an empty file, or none, is a working one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NightSettings {
    /// Minutes after which no more work is taken; what is left is done by the next night. 0: no limit.
    pub minutes_max: f64,
    /// The disk.
    pub disk: Disk,
    /// What stays how long.
    pub keep: Keep,
    /// Who is told.
    pub tell: Tell,
    /// When a person is needed.
    pub alarm: Alarm,
}

/// Watermarks of the disk that holds the workspace.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Disk {
    /// A night does not begin with less room than this.
    pub begin_bytes_min: ByteSize,
    /// A night takes no more work with less room than this.
    pub work_bytes_min: ByteSize,
}

/// Days after which things go; 0 keeps them for good.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// Archives that the crawler wrote, once all they hold is published or dropped.
    pub archive_days: u32,
    /// Dropped documents, and the lists of what was set aside.
    pub rejects_days: u32,
    /// Logs.
    pub log_days: u32,
}

/// Who is told, and how.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tell {
    /// Whether good nights are told too, or only those with an alarm.
    pub always: bool,
    /// Who gets the mail; empty for nobody.
    pub mail_to: String,
    /// Who sends it.
    pub mail_from: String,
    /// The program that takes a mail on its standard input; `/usr/sbin/sendmail -t -i` if not given.
    pub mail_command: Vec<String>,
    /// An https or http address that the summary is posted to as JSON; empty for none.
    pub webhook: String,
    /// A PEM file with the certificates by which the webhook's is judged instead of the public ones.
    pub webhook_ca_file: String,
    /// Endpoint of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; empty for none.
    pub otlp_endpoint: String,
    /// A PEM file with the certificates by which the collector's is judged instead of the public ones.
    pub otlp_ca_file: String,
    /// A file for Prometheus' node exporter, such as /var/lib/prometheus/node-exporter/tamis.prom; empty for none.
    pub metrics_file: String,
}

/// Thresholds against the nights before.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alarm {
    /// Nights to compare with; their median counts.
    pub nights: usize,
    /// What is smaller than this many documents, tonight and before, raises no alarm.
    pub documents_min: u64,
    /// A language, or the crawl, may fall to this share of its median.
    pub fall_to: f64,
    /// The share of a drop reason may grow by this factor.
    pub reason_grows: f64,
    /// The share of opt-outs may grow by this factor.
    pub optout_grows: f64,
    /// Share of documents that may be set aside.
    pub set_aside_max: f64,
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { begin_bytes_min: ByteSize(10_000_000_000), work_bytes_min: ByteSize(2_000_000_000) }
    }
}

impl Default for Alarm {
    fn default() -> Alarm {
        Alarm { nights: 7, documents_min: 50, fall_to: 0.5, reason_grows: 3.0, optout_grows: 2.0, set_aside_max: 0.01 }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No file.
    #[error("cannot read the settings of the night `{path}`: {why}")]
    Unreadable { path: String, why: String },
    /// Not what is meant.
    #[error("settings of the night `{path}`: {why}")]
    Wrong { path: String, why: String },
}

impl NightSettings {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it is not there, or says what no setting means.
    pub fn load(path: &Path) -> Result<NightSettings, SettingsError> {
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|error| SettingsError::Unreadable { path: shown.clone(), why: error.to_string() })?;
        NightSettings::parse(&text).map_err(|why| SettingsError::Wrong { path: shown, why })
    }

    /// Reads settings from their text.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<NightSettings, String> {
        let settings: NightSettings = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let Alarm { fall_to, reason_grows, optout_grows, set_aside_max, .. } = self.alarm;
        let is_share = |value: f64| (0.0..=1.0).contains(&value);
        if !is_share(fall_to) || !is_share(set_aside_max) {
            return Err("alarm.fall_to and alarm.set_aside_max are shares; give numbers from 0 to 1".to_owned());
        }
        if !(reason_grows >= 1.0 && optout_grows >= 1.0) {
            return Err("alarm.reason_grows and alarm.optout_grows are factors; give numbers from 1 on".to_owned());
        }
        if !(0.0..=1e6).contains(&self.minutes_max) {
            return Err("minutes_max is a number of minutes; 0 is no limit".to_owned());
        }
        if self.disk.work_bytes_min > self.disk.begin_bytes_min {
            return Err(
                "disk.work_bytes_min is more than disk.begin_bytes_min, so a night could begin and never work; make it smaller".to_owned()
            );
        }
        let Tell { mail_to, mail_from, webhook, otlp_endpoint, .. } = &self.tell;
        if [mail_to, mail_from].iter().any(|address| address.chars().any(char::is_control)) {
            return Err("tell.mail_to and tell.mail_from are one line each".to_owned());
        }
        if !mail_to.is_empty() && mail_from.is_empty() {
            return Err("tell.mail_to wants tell.mail_from beside it: who sends the mail".to_owned());
        }
        let is_web = |text: &str| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        for (name, address) in [("webhook", webhook), ("otlp_endpoint", otlp_endpoint)] {
            if !address.is_empty() && !is_web(address) {
                return Err(format!("tell.{name} is no http or https address"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_at_all_is_a_working_setting_and_the_packaged_file_is_another() {
        assert_eq!(NightSettings::parse(""), Ok(NightSettings::default()));
        let packaged = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/night.toml")).expect("it is in the house");
        let settings = NightSettings::parse(&packaged).expect("it is sound");
        assert_eq!((settings.minutes_max, settings.keep.log_days), (420.0, 90));
    }

    #[test]
    fn what_cannot_be_meant_is_told_with_the_way_out() {
        for (text, told) in [
            ("minutes = 5", "unknown field"),
            ("minutes_max = -1.0", "number of minutes"),
            ("[alarm]\nfall_to = 50", "from 0 to 1"),
            ("[alarm]\nreason_grows = 0.5", "from 1 on"),
            ("[disk]\nwork_bytes_min = \"1 TB\"", "make it smaller"),
            ("[tell]\nmail_to = \"op@example.eu\"", "tell.mail_from"),
            ("[tell]\nmail_to = \"op@example.eu\\nBcc: x\"\nmail_from = \"t@example.eu\"", "one line"),
            ("[tell]\nwebhook = \"ftp://example.eu\"", "tell.webhook is no http"),
            ("[tell]\notlp_endpoint = \"127.0.0.1:4318\"", "tell.otlp_endpoint is no http"),
        ] {
            let why = NightSettings::parse(text).expect_err(text);
            assert!(why.contains(told), "{why}");
        }
    }
}
