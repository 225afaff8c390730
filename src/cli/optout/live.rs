//! `tamis optout explain URL`: asks for one address as the crawler would, and says what its owner says about training.

use std::io::{self, Write};

use anyhow::{Context, Result};

use super::{Captured, Explain, Sites};
use crate::cli::exit::Exit;
use crate::cli::warc::is_unsafe;
use crate::crawl::fetch::Fault;
use crate::crawl::look::{Looked, Seen, look};
use crate::crawl::settings::CrawlSettings;
use crate::optout::Agents;

pub(super) fn explain(args: &Explain, address: &str) -> Result<Exit> {
    let url = url::Url::parse(address).with_context(|| format!("`{address}` is no address"))?;
    let settings = settings(args)?;
    let looked = look(&settings, &url)?;
    let mut sites = Sites { agents: Agents { own: &args.agent, ..Agents::default() }, known: Default::default(), bytes: 0, left_out: 0 };
    let mut out = io::stdout().lock();
    let mut is_whole = true;
    for Looked { url, files, page } in looked {
        for (file, came) in files {
            eprintln!(
                "asked {}: {}",
                safe(&file),
                came.as_ref().map_or_else(|fault| fault.word().to_owned(), |(status, _)| status.to_string())
            );
            is_whole &= came.is_ok();
            if let Ok((status, body)) = came {
                let file = Captured { offset: None, url: file, status: Some(status), headers: Vec::new(), body };
                sites.explain(&file)?;
            }
        }
        let mut response = Captured { offset: None, url: url.to_string(), status: None, headers: Vec::new(), body: Vec::new() };
        match page {
            Seen::Answer(fetched) => {
                response.body = fetched.response;
                response.parse();
            }
            Seen::Forbidden => eprintln!("not asked {}: robots.txt forbids it, or cannot be had", safe(url.as_str())),
            Seen::Fault(fault) => {
                eprintln!("asked {}: no answer: {}", safe(url.as_str()), what(fault));
                is_whole = false;
            }
        }
        sites.explain(&response)?.write(args.json, &mut out)?;
    }
    out.flush()?;
    Ok(if is_whole { Exit::Done } else { Exit::Quarantined })
}

/// Settings of a crawl of one page.
fn settings(args: &Explain) -> Result<CrawlSettings> {
    settings_of(args.contact.as_deref(), &args.agent, &args.resolve)
}

/// Settings of somebody who asks on the command line.
pub(super) fn settings_of(contact: Option<&str>, agent: &str, resolve: &[String]) -> Result<CrawlSettings> {
    let contact = contact.map(str::to_owned).context(
        "an address is asked for only by somebody who can be reached: give --contact, a page or an e-mail address of yours; it goes into the user agent",
    )?;
    let host = |written: &String| {
        let (name, address) = written.split_once('=').with_context(|| format!("`--resolve {written}` is not HOST=IP:PORT"))?;
        let address = address.parse().with_context(|| format!("`--resolve {written}` is not HOST=IP:PORT"))?;
        Ok((name.to_owned(), address))
    };
    let hosts = resolve.iter().map(host).collect::<Result<_>>()?;
    Ok(CrawlSettings { contact, agent: agent.to_owned(), hosts, ..CrawlSettings::default() })
}

/// A fault in words.
pub(super) fn what(fault: Fault) -> &'static str {
    match fault {
        Fault::Dns => "the name has no address",
        Fault::NotPublic => "the address is not one of the public internet (--resolve names exceptions)",
        Fault::Connection => "nobody listens there, or the connection broke",
        Fault::Tls => "the certificate is not valid, or TLS failed",
        Fault::Timeout => "it took too long",
        Fault::LongHead => "its head is too long",
        Fault::NotHttp => "what came is no HTTP",
        Fault::Contradiction => "the answer contradicts itself about its length",
    }
}

fn safe(text: &str) -> String {
    text.chars().map(|sign| if is_unsafe(sign) { '\u{fffd}' } else { sign }).collect()
}
