//! Lists of names with texts, wrapped.

/// Longest line of a topic, characters.
pub(super) const WIDTH: usize = 100;

/// Appends lines of a name and a text, the text starting in the column `indent + name`, wrapped there.
///
/// A name that is longer than its column has a line of its own.
pub(super) fn rows<N: AsRef<str>, T: AsRef<str>>(
    out: &mut String,
    indent: usize,
    name: usize,
    rows: impl IntoIterator<Item = (N, T)>,
) {
    let start = indent + name;
    for (label, text) in rows {
        let label = label.as_ref();
        let mut line = format!("{}{label}", " ".repeat(indent));
        let mut length = indent + label.chars().count();
        if length + 1 > start && !text.as_ref().is_empty() {
            out.push_str(&line);
            out.push('\n');
            (line, length) = (String::new(), 0);
        }
        for word in text.as_ref().split_whitespace() {
            let size = word.chars().count();
            if length > start && length + 1 + size > WIDTH {
                out.push_str(&line);
                out.push('\n');
                (line, length) = (String::new(), 0);
            }
            let gap = if length < start { start - length } else { 1 };
            line.push_str(&" ".repeat(gap));
            line.push_str(word);
            length += gap + size;
        }
        out.push_str(&line);
        out.push('\n');
    }
}

/// Appends a paragraph, wrapped.
pub(super) fn paragraph(out: &mut String, text: &str) {
    let mut length = 0;
    for word in text.split_whitespace() {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > WIDTH {
            out.push('\n');
            length = 0;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += size;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_wrap_in_their_column() {
        let mut out = String::new();
        rows(
            &mut out,
            2,
            8,
            [("short", "one two"), ("longer-name", "x"), ("empty", "")],
        );
        assert_eq!(
            out,
            "  short   one two\n  longer-name\n          x\n  empty\n"
        );
        let mut out = String::new();
        let words = "word ".repeat(40);
        rows(&mut out, 0, 10, [("name", words.as_str())]);
        let lines: Vec<&str> = out.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert!(lines[1].starts_with("          word"));
        let mut out = String::new();
        paragraph(&mut out, &words);
        assert!(out.lines().all(|line| line.len() <= WIDTH) && out.ends_with("word\n"));
    }
}
