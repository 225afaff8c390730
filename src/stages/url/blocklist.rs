//! Domains from which nothing is taken.

use std::collections::HashSet;

use url::Url;

use crate::stage::{BuildError, Resources};

/// A set of domains, each with all hosts below it. Only ever asked, never listed, so that its order cannot show.
pub(super) struct Blocklist(HashSet<String>);

impl Blocklist {
    /// Domains from settings and from files.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that is no domain.
    pub(super) fn read(domains: &[String], files: &[String], resources: &dyn Resources) -> Result<Blocklist, BuildError> {
        let mut blocked = HashSet::new();
        for domain in domains {
            let host =
                as_host(domain).ok_or_else(|| BuildError::Contradiction(format!("`{domain}` in setting `block_domains` is no domain")))?;
            blocked.insert(host);
        }
        for path in files {
            let refuse = |why: String| BuildError::Resource { setting: "block_domain_files", path: path.clone(), why };
            let bytes = resources.read(path).map_err(|error| refuse(error.to_string()))?;
            let text = String::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8".to_owned()))?;
            for (number, line) in text.lines().enumerate() {
                let domain = line.split('#').next().unwrap_or_default().trim();
                if !domain.is_empty() {
                    blocked.insert(as_host(domain).ok_or_else(|| refuse(format!("line {}: `{domain}` is no domain", number + 1)))?);
                }
            }
        }
        Ok(Blocklist(blocked))
    }

    /// Whether `host` or a domain above it is blocked.
    pub(super) fn holds(&self, host: &str) -> bool {
        let mut rest = Some(host).filter(|_| !self.0.is_empty());
        while let Some(domain) = rest {
            if self.0.contains(domain) {
                return true;
            }
            rest = domain.split_once('.').map(|(_, above)| above);
        }
        false
    }
}

/// `domain` as the host of an address is written.
fn as_host(domain: &str) -> Option<String> {
    let domain = domain.trim_start_matches("*.").trim_matches('.');
    let url = Url::parse(&format!("http://{domain}/")).ok()?;
    (url.path() == "/" && url.port().is_none() && url.username().is_empty()).then(|| url.host_str().map(str::to_owned))?
}
