//! Whether stages stand in an order that works: each needs what something before it gives.
//!
//! A stage that gives text takes the markup away. Between the passes, documents keep text and language, but neither markup nor
//! token ids; and shards are cut by language before `[[emit]]` begins.

use std::ops::Range;

use super::mistake::{Fault, Faults};
use crate::stage::{Field, Room};

/// Notes stages of `clean` and `emit` that stand where they cannot work. `given` is what the source gives; each stage comes with its
/// place. Gives back what documents have at the end of clean.
pub(super) fn check(given: &[Field], clean: &[(&Room, Range<usize>)], emit: &[(&Room, Range<usize>)], faults: &mut Faults) -> Vec<Field> {
    let mut there = given.to_vec();
    for (number, (room, span)) in clean.iter().enumerate() {
        if let Some(fault) = misplaced_in_clean(room) {
            faults.note(span.clone(), fault);
            continue;
        }
        if clean[..number].iter().any(|(other, _)| other.name == room.name) {
            faults.note(span.clone(), Fault::Twice { stage: room.name.to_owned(), pass: "clean" });
            continue;
        }
        take(room, span, &mut there, &clean[number + 1..], faults);
    }
    let after_clean = there.clone();
    there.retain(|field| matches!(field, Field::Text | Field::Lang));
    for (number, (room, span)) in emit.iter().enumerate() {
        if let Some(fault) = misplaced_in_emit(room) {
            faults.note(span.clone(), fault);
            continue;
        }
        if emit[..number].iter().any(|(other, _)| other.name == room.name) {
            faults.note(span.clone(), Fault::Twice { stage: room.name.to_owned(), pass: "emit" });
            continue;
        }
        take(room, span, &mut there, &emit[number + 1..], faults);
    }
    after_clean
}

fn misplaced_in_clean(room: &Room) -> Option<Fault> {
    if room.gives.contains(&Field::Signature) {
        return Some(Fault::RunsByItself { stage: room.name.to_owned() });
    }
    let why = "documents between the passes have no token ids, and duplicates would be tokenised for nothing";
    room.gives.contains(&Field::Tokens).then(|| Fault::WrongPass { stage: room.name.to_owned(), right: "emit", why })
}

fn misplaced_in_emit(room: &Room) -> Option<Fault> {
    if room.gives.contains(&Field::Signature) {
        return Some(Fault::RunsByItself { stage: room.name.to_owned() });
    }
    let why = if room.needs.contains(&Field::Html) {
        "documents have no markup any more when [[emit]] begins"
    } else if room.gives.contains(&Field::Lang) {
        "shards are cut by language before [[emit]] begins"
    } else if room.gives.contains(&Field::Text) {
        "duplicates are found by their text before [[emit]] begins"
    } else {
        return None;
    };
    Some(Fault::WrongPass { stage: room.name.to_owned(), right: "clean", why })
}

/// Notes what `room` misses among the fields that are there, and changes them as the room does.
fn take(room: &Room, span: &Range<usize>, there: &mut Vec<Field>, later: &[(&Room, Range<usize>)], faults: &mut Faults) {
    for need in room.needs {
        if !there.contains(need) {
            let what = words(*need);
            faults.note(span.clone(), Fault::NotThereYet { stage: room.name.to_owned(), what, advice: advice(room, *need, later) });
        }
    }
    if room.gives.contains(&Field::Text) {
        there.retain(|field| *field != Field::Html);
    }
    for given in room.gives {
        if !there.contains(given) {
            there.push(*given);
        }
    }
}

fn words(field: Field) -> &'static str {
    match field {
        Field::Html => "markup",
        Field::Text => "plain text",
        Field::Lang => "a language",
        Field::Signature => "a signature",
        Field::Tokens => "token ids",
    }
}

fn advice(room: &Room, need: Field, later: &[(&Room, Range<usize>)]) -> String {
    if let Some((giver, _)) = later.iter().find(|(other, _)| other.gives.contains(&need)) {
        return format!("move `{}` above it", giver.name);
    }
    match need {
        Field::Html => {
            format!("move `{}` above the stage that makes text of the markup, or remove it if the source gives plain text", room.name)
        }
        Field::Text => "add `extract` above it".to_owned(),
        Field::Lang => "add `langid` above it".to_owned(),
        Field::Signature | Field::Tokens => "remove it".to_owned(),
    }
}
