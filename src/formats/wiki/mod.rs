//! Wikitext to plain text: links to their labels, templates to nothing or to what a table says, references cut, tables and lists as
//! light structure.
//!
//! Two passes, each linear: [`inline`] resolves what can stand anywhere in a line, [`lines`] what a line's beginning decides. No library
//! at hand reads the wikitext of 40 languages in linear time and without running Lua, so this is our own. What a template prints stands
//! in other pages and in programs, so a template that the table does not know leaves nothing.

mod inline;
mod lines;
mod tags;
mod templates;

use std::collections::BTreeMap;

pub use templates::Templates;

/// What the reading of a page depends on.
pub struct Rules<'a> {
    /// Names of the namespaces whose links show nothing where they stand: files and categories, in lower case.
    pub hidden: &'a [String],
    /// What templates leave.
    pub templates: &'a Templates,
    /// Whether tables are kept, a row a line.
    pub tables: bool,
}

/// The plain text of a page: a paragraph, heading, item or row a line.
#[must_use]
pub fn text(wikitext: &str, rules: &Rules<'_>) -> String {
    lines::build(&inline::flatten(wikitext, rules), rules.tables)
}

/// Templates by name, as the settings of a source write them.
pub type Patterns = BTreeMap<String, String>;

#[cfg(test)]
mod tests;
