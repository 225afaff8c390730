//! The tasks on the network: one page or one file of a site each, and one request at a time to one network address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use url::Url;

use super::now_ms;
use crate::archive::coding;
use crate::archive::http::Response;
use crate::crawl::fetch::{Client, Fault, Fetched, is_chunked, join};
use crate::crawl::frontier::{Page, Waiting};
use crate::crawl::robots_file::{REDIRECTS_MAX, ROBOTS_BYTES_MAX};
use crate::optout::SiteFile;

/// Clocks of network addresses: when each may be asked again; `u64::MAX` while it is being asked.
pub(in crate::crawl) type AddressClocks = Arc<Mutex<BTreeMap<IpAddr, u64>>>;

/// What a task on the network came to.
pub(super) enum Done {
    /// A file in which a site speaks of all its pages.
    File { site: String, file: SiteFile, result: Result<(u16, Vec<u8>), Fault>, fetched: Option<(String, Fetched)>, took_ms: u64 },
    /// A page.
    Page { site: String, place: u64, waiting: Waiting, before: Option<Page>, at_ms: u64, result: Result<Fetched, Fault> },
    /// Its address is being asked by another site.
    Busy { site: String, item: Option<(u64, Waiting)>, until: u64 },
}

/// Takes the right to ask a network address, or says when it is free.
fn take_address(clocks: &AddressClocks, address: IpAddr) -> Result<(), u64> {
    let Ok(mut clocks) = clocks.lock() else { return Ok(()) };
    let now = now_ms();
    match clocks.get(&address) {
        Some(&u64::MAX) => Err(now + 200),
        Some(&until) if until > now => Err(until),
        _ => {
            clocks.insert(address, u64::MAX);
            Ok(())
        }
    }
}

fn give_address(clocks: &AddressClocks, address: IpAddr, pause: u64) {
    if let Ok(mut clocks) = clocks.lock() {
        clocks.insert(address, now_ms() + pause);
    }
}

/// Asks for one page. The outer error says when its network address may be asked.
pub(in crate::crawl) async fn page(
    client: &Client,
    clocks: &AddressClocks,
    pause: u64,
    url: &Url,
    before: Option<&Page>,
) -> Result<Result<Fetched, Fault>, u64> {
    let address = match client.resolve(url).await {
        Ok(address) => address,
        Err(fault) => return Ok(Err(fault)),
    };
    take_address(clocks, address.ip())?;
    let known = before.filter(|before| !before.digest.is_empty());
    let conditions = known
        .map_or([("", ""), ("", "")], |page| [("If-None-Match", page.etag.as_str()), ("If-Modified-Since", page.last_modified.as_str())]);
    let conditions: Vec<(&str, &str)> = conditions.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let result = client.get(url, address, &conditions).await;
    give_address(clocks, address.ip(), pause);
    Ok(result)
}

/// Asks a site for one of its files, following redirects to wherever they lead.
pub(in crate::crawl) async fn file(
    client: &Client,
    clocks: &AddressClocks,
    pause: u64,
    (site, file): (&str, SiteFile),
) -> Result<(Result<(u16, Vec<u8>), Fault>, Option<(String, Fetched)>), u64> {
    let Ok(mut url) = Url::parse(&format!("{site}{}", file.path())) else { return Ok((Err(Fault::Dns), None)) };
    let first = url.to_string();
    for hop in 0..=REDIRECTS_MAX {
        let result = match page(client, clocks, pause, &url, None).await {
            Err(until) if hop == 0 => return Err(until),
            Err(_) => Err(Fault::Timeout),
            Ok(result) => result,
        };
        let fetched = match result {
            Ok(fetched) => fetched,
            Err(fault) => return Ok((Err(fault), None)),
        };
        let location = Response::parse(&fetched.response).and_then(|response| response.fields.text("location"));
        let target = location.filter(|_| (300..400).contains(&fetched.status)).and_then(|location| url.join(&location).ok());
        match target.filter(|_| hop < REDIRECTS_MAX) {
            Some(target) => url = target,
            None => {
                let body = body_of(&fetched);
                return Ok((Ok((fetched.status, body)), Some((first, fetched))));
            }
        }
    }
    Ok((Ok((404, Vec::new())), None))
}

fn body_of(fetched: &Fetched) -> Vec<u8> {
    let body = fetched.response[fetched.body..].to_vec();
    let Some(parsed) = Response::parse(&fetched.response) else { return body };
    let body = if is_chunked(parsed.fields) { join(&body) } else { body };
    let coding = parsed.fields.text("content-encoding").unwrap_or_default();
    coding::decode(body, &coding, ROBOTS_BYTES_MAX).map_or(Vec::new(), |body| body.bytes)
}
