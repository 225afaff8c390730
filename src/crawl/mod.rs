//! The crawler: fetches politely, keeps what was fetched in web archives, and remembers where it was.
//!
//! A step before planning: what one night fetched lies in `archive/<night>/` and is then read like any other archive. Rooms: [`settings`]
//! and [`seeds`] say what is wanted, [`scope`], [`links`] and [`sitemaps`] what belongs to it, [`robots_file`] what a site allows, [`polite`] when a
//! host may be asked, [`languages`] how much it is asked for, [`guard`] where nobody may be led, [`fetch`] asks, [`writer`] and [`archive`] keep it, [`frontier`] remembers, and
//! [`night`] is the loop that joins them. [`harvest`] asks repositories instead of pages, [`webmasters`] tells those who are asked, [`look`] asks for one page alone,
//! and `metrics` counts for those who watch.

pub mod archive;
pub mod fetch;
pub mod frontier;
pub mod guard;
pub mod harvest;
pub mod languages;
pub mod links;
pub mod look;
mod metrics;
pub mod night;
pub mod outcome;
pub mod polite;
pub mod robots_file;
pub mod scope;
pub mod seeds;
pub mod settings;
pub mod sitemaps;
pub mod webmasters;
pub mod writer;
