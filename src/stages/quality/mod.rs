//! Rules that tell text from what only looks like it, one room a family of rules, as published: Gopher, C4 and FineWeb.
//!
//! Rooms of their own, rather than one, because recipes take them apart: FineWeb ran Gopher's and C4's rules before its own, FineWeb-2
//! left C4's out, curated text wants one rule of Gopher's. Each measures all its signals before its first rule is asked.
//! Limits for single languages are shipped only where the published English one drops ordinary text of the language, and only ever
//! loosen it: a rule that is too strict costs a small language more than a bad page does.

pub mod c4;
pub mod c4_phrases;
pub mod fineweb;
pub mod gopher;
