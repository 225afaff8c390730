//! What a vocabulary of one's own is learned from: pieces as this stage cuts them, in the signs that files of vocabularies have for bytes.

use super::bytelevel::sign_of;
use super::split::Pattern;

/// The pattern that pieces are cut by, as a `tokenizer.json` has it: that of o200k_base.
pub const PATTERN: &str = Pattern::O200K_WRITTEN;

/// Calls `found` with every piece of `text`.
pub fn for_each_piece(text: &str, mut found: impl FnMut(&str)) {
    Pattern::O200k.for_each_piece(text, |at, end| found(&text[at..end]));
}

/// A piece with a sign for each of its bytes.
#[must_use]
pub fn signs(piece: &str) -> String {
    piece.bytes().map(sign_of).collect()
}
