//! Optimized stimuli in words and tables, for the terminal and as a page.
//!
//! `words.rs` has the sentences and `tables.rs` the tables; `text.rs` and `page.rs` arrange them.

mod figures;
mod grid;
mod page;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub(crate) use page::html;
pub(crate) use text::{scan_text, text};
