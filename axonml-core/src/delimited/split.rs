//! From text to records and cells.

use super::{DelimitedError, DelimitedText, Heading, Separator};

/// Records looked at to find the separator.
const LOOKED_AT: usize = 16;

/// Cuts the text; the separator is found from its first records.
pub(super) fn split(text: &str) -> Result<DelimitedText, DelimitedError> {
    let separator = detect(text)?;
    let mut table = DelimitedText {
        separator,
        text: String::with_capacity(text.len()),
        ends: Vec::new(),
        records: Vec::new(),
        heading: None,
    };
    let mut cursor = Cursor::new(text);
    let mut heading = None;
    while let Some((line, kind)) = cursor.next_line() {
        match kind {
            Line::Empty => heading = None,
            Line::Comment(comment) if table.records.is_empty() => heading = Some((line, comment)),
            Line::Comment(_) => {}
            Line::Record => {
                if let Some((line, comment)) = heading.take() {
                    table.heading = Some(self::heading(line, comment, separator));
                }
                cursor.record(separator, &mut table.text, &mut table.ends)?;
                table.records.push((line, table.ends.len()));
            }
        }
    }
    Ok(table)
}

/// The comment above the data, in the cells that the separator of the data makes of it.
fn heading(line: usize, comment: &str, separator: Separator) -> Heading {
    let text = comment.trim_start_matches(['#', '%']).trim();
    let (mut cut, mut ends) = (String::new(), Vec::new());
    let cells = match Cursor::new(text).record(separator, &mut cut, &mut ends) {
        Ok(()) => {
            let begins = std::iter::once(0).chain(ends.iter().copied());
            begins
                .zip(&ends)
                .map(|(begin, &end)| cut[begin..end].to_owned())
                .collect()
        }
        // Prose may hold quotes.
        Err(_) => Vec::new(),
    };
    Heading {
        line,
        text: text.to_owned(),
        cells,
    }
}

/// The separator that cuts the first records into equally many cells; else the first that occurs in
/// the first record.
fn detect(text: &str) -> Result<Separator, DelimitedError> {
    const CANDIDATES: [Separator; 4] = [
        Separator::Semicolon,
        Separator::Tab,
        Separator::Comma,
        Separator::Blanks,
    ];
    let (mut in_first, mut unreadable) = (None, None);
    for separator in CANDIDATES {
        let counts = match first_counts(text, separator) {
            Ok(counts) => counts,
            Err(error) => {
                // Of several errors the one that is meant most likely.
                if unreadable.is_none() || separator == Separator::Comma {
                    unreadable = Some(error);
                }
                continue;
            }
        };
        let Some(&first) = counts.cells.first() else {
            return Ok(Separator::Comma);
        };
        if first > 1 && !counts.doubtful && counts.cells.iter().all(|&count| count == first) {
            return Ok(separator);
        }
        if first > 1 {
            in_first = in_first.or(Some(separator));
        }
    }
    match (in_first, unreadable) {
        (Some(separator), _) => Ok(separator),
        // A single column.
        (None, None) => Ok(Separator::Comma),
        (None, Some(error)) => Err(error),
    }
}

/// The first records as cut by one separator.
#[derive(Default)]
struct Counts {
    /// Their cell counts.
    cells: Vec<usize>,
    /// Whether a cell shows that another separator was meant.
    doubtful: bool,
}

fn first_counts(text: &str, separator: Separator) -> Result<Counts, DelimitedError> {
    let mut cursor = Cursor::new(text);
    let mut counts = Counts::default();
    let (mut cut, mut ends) = (String::new(), Vec::new());
    while counts.cells.len() < LOOKED_AT
        && let Some((_, kind)) = cursor.next_line()
    {
        if let Line::Record = kind {
            cut.clear();
            ends.clear();
            let begin = cursor.at;
            cursor.record(separator, &mut cut, &mut ends)?;
            counts.cells.push(ends.len());
            // Quotes delimit cells.
            if !text[begin..cursor.at].contains('"') {
                let begins = std::iter::once(0).chain(ends.iter().copied());
                counts.doubtful |= begins
                    .zip(&ends)
                    .any(|(begin, &end)| is_cut_otherwise(separator, &cut[begin..end]));
            }
        }
    }
    Ok(counts)
}

/// Whether a cell shows that another separator was meant: `0.1,<tab>-1` is separated by commas,
/// `0,1 -1` by blanks.
fn is_cut_otherwise(separator: Separator, cell: &str) -> bool {
    match separator {
        Separator::Tab | Separator::Blanks => {
            cell.starts_with([',', ';']) || cell.ends_with([',', ';'])
        }
        Separator::Comma => {
            let mut words = cell.split_whitespace();
            words.clone().nth(1).is_some() && words.all(|word| word.parse::<f64>().is_ok())
        }
        Separator::Semicolon => false,
    }
}

/// Whether lines hold data.
enum Line<'t> {
    Empty,
    Comment(&'t str),
    /// The cursor stands at its first character.
    Record,
}

/// A place in the text.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
    line: usize,
}

impl<'t> Cursor<'t> {
    fn new(text: &'t str) -> Self {
        Cursor {
            text,
            at: 0,
            line: 1,
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves past a line end: `\n`, `\r\n` or `\r`.
    fn pass_line_end(&mut self) {
        if self.byte() == Some(b'\r') {
            self.at += 1;
        }
        if self.byte() == Some(b'\n') {
            self.at += 1;
        }
        self.line += 1;
    }

    /// The kind of the next line and its number; passes it unless it is a record.
    fn next_line(&mut self) -> Option<(usize, Line<'t>)> {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        if begin >= bytes.len() {
            return None;
        }
        let line = self.line;
        let mut first = begin;
        while first < bytes.len() && matches!(bytes[first], b' ' | b'\t') {
            first += 1;
        }
        let kind = match bytes.get(first) {
            None | Some(b'\n' | b'\r') => {
                self.at = first;
                Line::Empty
            }
            Some(b'#' | b'%') => {
                let length = bytes[first..]
                    .iter()
                    .position(|byte| matches!(byte, b'\n' | b'\r'));
                self.at = length.map_or(bytes.len(), |length| first + length);
                Line::Comment(&self.text[first..self.at])
            }
            Some(_) => return Some((line, Line::Record)),
        };
        if self.at < bytes.len() {
            self.pass_line_end();
        }
        Some((line, kind))
    }

    /// Cuts the record at the cursor and passes its line end.
    fn record(
        &mut self,
        separator: Separator,
        text: &mut String,
        ends: &mut Vec<usize>,
    ) -> Result<(), DelimitedError> {
        let (line, begin, cells) = (self.line, self.at, ends.len());
        let too_large = |limit, what| DelimitedError::TooLarge { line, limit, what };
        loop {
            let cell_begin = text.len();
            self.pass_blanks(separator);
            match self.byte() {
                Some(b'"') => self.quoted(separator, text)?,
                _ => self.plain(separator, text),
            }
            ends.push(text.len());
            if text.len() - cell_begin > DelimitedText::MAX_CELL_BYTES {
                return Err(too_large(DelimitedText::MAX_CELL_BYTES, "bytes in a cell"));
            }
            if ends.len() - cells > DelimitedText::MAX_CELLS {
                return Err(too_large(DelimitedText::MAX_CELLS, "cells"));
            }
            if self.at - begin > DelimitedText::MAX_RECORD_BYTES {
                return Err(too_large(DelimitedText::MAX_RECORD_BYTES, "bytes"));
            }
            match self.byte() {
                None => return Ok(()),
                Some(b'\n' | b'\r') => {
                    self.pass_line_end();
                    return Ok(());
                }
                // A separator: blanks have been passed as one, and end no cell before a line end.
                Some(_) => self.at += usize::from(separator != Separator::Blanks),
            }
        }
    }

    /// Passes blanks that are not separators of their own.
    fn pass_blanks(&mut self, separator: Separator) {
        while let Some(byte) = self.byte()
            && (byte == b' ' || byte == b'\t' && separator != Separator::Tab)
        {
            self.at += 1;
        }
    }

    /// Copies an unquoted cell, without trailing blanks.
    fn plain(&mut self, separator: Separator, text: &mut String) {
        let bytes = self.text.as_bytes();
        let begin = self.at;
        while let Some(byte) = self.byte()
            && !matches!(byte, b'\n' | b'\r')
            && !separates(separator, byte)
        {
            self.at += 1;
        }
        let mut end = self.at;
        while end > begin && matches!(bytes[end - 1], b' ' | b'\t') {
            end -= 1;
        }
        text.push_str(&self.text[begin..end]);
        if separator == Separator::Blanks {
            self.pass_blanks(separator);
        }
    }

    /// Copies a quoted cell and skips the blanks after it.
    fn quoted(&mut self, separator: Separator, text: &mut String) -> Result<(), DelimitedError> {
        let (opened, begin) = (self.line, text.len());
        self.at += 1;
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let length = rest
                .iter()
                .take(DelimitedText::MAX_CELL_BYTES + 1)
                .position(|byte| matches!(byte, b'"' | b'\n' | b'\r'))
                .ok_or(if rest.len() > DelimitedText::MAX_CELL_BYTES {
                    DelimitedError::TooLarge {
                        line: opened,
                        limit: DelimitedText::MAX_CELL_BYTES,
                        what: "bytes in a cell",
                    }
                } else {
                    DelimitedError::OpenQuote { line: opened }
                })?;
            text.push_str(&self.text[self.at..self.at + length]);
            self.at += length;
            if text.len() - begin > DelimitedText::MAX_CELL_BYTES {
                return Err(DelimitedError::TooLarge {
                    line: opened,
                    limit: DelimitedText::MAX_CELL_BYTES,
                    what: "bytes in a cell",
                });
            }
            match (self.byte(), self.text.as_bytes().get(self.at + 1)) {
                (Some(b'"'), Some(b'"')) => {
                    text.push('"');
                    self.at += 2;
                }
                (Some(b'"'), _) => {
                    self.at += 1;
                    break;
                }
                _ => {
                    text.push('\n');
                    self.pass_line_end();
                }
            }
        }
        let blanks = self.at;
        self.pass_blanks(separator);
        match self.byte() {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(byte) if separates(separator, byte) => Ok(()),
            Some(_) if separator == Separator::Blanks && self.at > blanks => Ok(()),
            Some(_) => Err(DelimitedError::AfterQuote {
                line: self.line,
                found: self.text[self.at..].chars().next().unwrap_or(' '),
                separator,
            }),
        }
    }
}

fn separates(separator: Separator, byte: u8) -> bool {
    match separator {
        Separator::Comma => byte == b',',
        Separator::Semicolon => byte == b';',
        Separator::Tab => byte == b'\t',
        Separator::Blanks => matches!(byte, b' ' | b'\t'),
    }
}
