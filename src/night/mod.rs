//! The nightly operator: what a night does beside the run itself, so that nobody has to watch it.
//!
//! [`settings`] belong to the machine and not to the recipe: they say how long a night may take, what stays how long, and who is told, and never change
//! a shard. [`budget`] says when no more work is taken, [`record`] what became of each night, [`retention`] what is old enough to go, [`alarms`]
//! what a person must see, [`metrics`], [`tell`] and [`webhook`] carry it outside, and [`doctor`] looks whether a night could begin.

pub mod alarms;
pub mod budget;
pub mod doctor;
pub mod metrics;
pub mod record;
pub mod retention;
pub mod settings;
pub mod tell;
pub mod trace;
pub mod webhook;
