//! The rooms that a document goes through, one file or folder a room, and the one list of them.
//!
//! A room is listed here and nowhere else: recipes, help, schemas, ledger and the conformance tests read [`ROOMS`]. Rooms know the
//! doors and what is in `text`, never each other.

use crate::stage::Room;

pub mod cleanup;
pub mod extract;
pub mod langid;
pub mod learned;
pub mod licence;
pub mod limits;
pub mod machine;
pub mod optout;
pub mod pii;
pub mod quality;
pub mod repetition;
pub mod sign;
pub mod tokenize;
pub mod url;

/// Every room, in the order in which a document usually meets them.
pub const ROOMS: &[&Room] = &[
    &url::ROOM,
    &optout::ROOM,
    &licence::ROOM,
    &extract::ROOM,
    &cleanup::ROOM,
    &langid::ROOM,
    &quality::gopher::ROOM,
    &quality::c4::ROOM,
    &quality::fineweb::ROOM,
    &repetition::ROOM,
    &machine::ROOM,
    &learned::ROOM,
    &pii::ROOM,
    &sign::ROOM,
    &tokenize::ROOM,
];

/// A room of rules, and its rules with the limits that the house ships.
pub type Ruled = (&'static Room, fn() -> limits::Limits);

/// The rooms of rules.
pub const RULED: &[Ruled] = &[
    (&quality::gopher::ROOM, quality::gopher::house_limits),
    (&quality::c4::ROOM, quality::c4::house_limits),
    (&quality::fineweb::ROOM, quality::fineweb::house_limits),
    (&repetition::ROOM, repetition::house_limits),
    (&machine::ROOM, machine::house_limits),
];

/// The room called `name`.
#[must_use]
pub fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().copied().find(|room| room.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_is_found_by_its_name_and_names_are_kebab_case() {
        for listed in ROOMS {
            assert_eq!(room(listed.name).map(|found| found.summary), Some(listed.summary), "{} is listed twice", listed.name);
            assert!(is_kebab_case(listed.name), "{}", listed.name);
        }
        assert!(room("no-such-room").is_none());
    }

    #[test]
    fn reasons_are_kebab_case_and_signals_are_snake_case_and_none_is_listed_twice_in_a_room() {
        for listed in ROOMS {
            for (place, reason) in listed.reasons.iter().enumerate() {
                assert!(is_kebab_case(reason), "{} {reason}", listed.name);
                assert!(!listed.reasons[..place].contains(reason), "{} {reason}", listed.name);
            }
            for (place, signal) in listed.signals.iter().enumerate() {
                assert!(signal.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{signal}");
                assert!(!listed.signals[..place].contains(signal), "{} {signal}", listed.name);
            }
        }
    }

    fn is_kebab_case(name: &str) -> bool {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
}
