//! What stands in files that are no web pages: encyclopaedias, digitised books, laws, minutes, office documents. Each format is a pure
//! function from bytes to text; how files are found, opened and cut is the sources' part.
//!
//! Everything works in time linear in its input and within limits of depth and size, because these files come from strangers too.

mod entities;
pub mod wiki;
