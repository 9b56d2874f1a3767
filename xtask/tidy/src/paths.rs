//! The paths that a source file names: those of its `use`s, and those it writes out from `crate`, `super` or `self`.
//!
//! A reader of tokens, not of Rust: comments, literals and whatever stands behind `#[cfg(test)]` are left out.

/// A path in a source file.
#[derive(Debug, PartialEq)]
pub(super) struct Named {
    /// The module that it stands in: that of the file, or one written out in it.
    pub(super) scope: Vec<String>,
    /// Its segments; of `use a::*` those before the star.
    pub(super) path: Vec<String>,
    /// The name that a `use` gives to it.
    pub(super) import: Option<String>,
}

/// The part of a source file that ties it to others.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Its paths, in their order.
    pub(super) named: Vec<Named>,
    /// Modules that are written out in it.
    pub(super) inside: Vec<Vec<String>>,
    /// Modules in files of their own that only tests have.
    pub(super) tests: Vec<Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    Word(&'t str),
    /// `::`
    Colons,
    Mark(char),
}
use Token::{Colons, Mark, Word};

/// Reads the text of the file of `module`.
pub(super) fn read(text: &str, module: &[String]) -> Source {
    let tokens = tokens(text);
    let mut source = Source::default();
    // Modules around the place, each with the braces that are open outside of it.
    let mut scopes = vec![(module.to_vec(), 0)];
    let (mut open, mut at) = (0, 0);
    while at < tokens.len() {
        let scope = &scopes[scopes.len() - 1].0;
        match tokens[at..] {
            [
                Mark('#'),
                Mark('['),
                Word("cfg"),
                Mark('('),
                Word("test"),
                Mark(')'),
                ..,
            ] => {
                let end = at + item(&tokens[at..]);
                if let Some([Word("mod"), Word(name), Mark(';')]) =
                    tokens[at..end].last_chunk::<3>()
                {
                    source.tests.push(joined(scope, &[name]));
                }
                at = end;
                continue;
            }
            [Word("mod"), Word(name), Mark('{'), ..] => {
                let inner = joined(scope, &[name]);
                source.inside.push(inner.clone());
                scopes.push((inner, open));
                open += 1;
                at += 3;
                continue;
            }
            [Mark('{'), ..] => open += 1,
            [Mark('}'), ..] => {
                open -= 1;
                if scopes.len() > 1 && scopes[scopes.len() - 1].1 == open {
                    scopes.pop();
                }
            }
            // Not the `use<'a>` of types.
            [Word("use"), next, ..] if next != Mark('<') => {
                let scope = scope.clone();
                at += 1;
                tree(&tokens, &mut at, &scope, &[], &mut source.named);
                continue;
            }
            [Word("crate" | "super" | "self"), Colons, Word(_), ..] => {
                let mut path = Vec::new();
                while let [Word(segment), ref rest @ ..] = tokens[at..] {
                    path.push(segment);
                    at += 1;
                    match rest {
                        [Colons, Word(_), ..] => at += 1,
                        _ => break,
                    }
                }
                source.named.push(Named {
                    scope: scope.clone(),
                    path: joined(&[], &path),
                    import: None,
                });
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    source
}

/// Reads the tree of a `use` behind `before`, up to the `,`, `}` or `;` that ends it.
fn tree(
    tokens: &[Token],
    at: &mut usize,
    scope: &[String],
    before: &[String],
    to: &mut Vec<Named>,
) {
    let mut path = before.to_vec();
    let mut import = None;
    let mut leaf = true;
    while let Some(&token) = tokens.get(*at) {
        *at += 1;
        match token {
            Word("as") => {
                if let Some(Word(name)) = tokens.get(*at) {
                    import = Some((*name).to_owned());
                    *at += 1;
                }
            }
            // `a::{self}` is `a`.
            Word("self") if !path.is_empty() => import = path.last().cloned(),
            Word(segment) => {
                path.push(segment.to_owned());
                import = Some(segment.to_owned());
            }
            Mark('*') => import = None,
            Mark('{') => {
                leaf = false;
                while !matches!(tokens.get(*at), None | Some(Mark('}' | ';'))) {
                    tree(tokens, at, scope, &path, to);
                    if tokens.get(*at) == Some(&Mark(',')) {
                        *at += 1;
                    }
                }
                *at += 1;
            }
            Mark(',' | '}' | ';') => {
                *at -= 1;
                break;
            }
            Colons | Mark(_) => {}
        }
    }
    if leaf && !path.is_empty() {
        to.push(Named {
            scope: scope.to_vec(),
            path,
            import,
        });
    }
}

/// Length of the item that `tokens` begin with, its attributes included.
fn item(tokens: &[Token]) -> usize {
    let mut open = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            Mark('(' | '[' | '{') => open += 1,
            // The end of what the item lies in.
            Mark(')' | ']' | '}') if open == 0 => return index,
            Mark(')' | ']') => open -= 1,
            Mark('}') => {
                open -= 1;
                if open == 0 {
                    return index + 1;
                }
            }
            Mark(';') if open == 0 => return index + 1,
            _ => {}
        }
    }
    tokens.len()
}

pub(super) fn joined(path: &[String], more: &[&str]) -> Vec<String> {
    let more = more.iter().map(|&segment| segment.to_owned());
    path.iter().cloned().chain(more).collect()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            let mut chars = rest.chars().skip(1);
            match (chars.next(), chars.next()) {
                (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, '\''),
                // A lifetime.
                _ => 1,
            }
        } else if let Some(length) = raw_string(rest) {
            length
        } else if is_word(first) {
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(Word(&rest[..length]));
            length
        } else if rest.starts_with("::") {
            tokens.push(Colons);
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(Mark(first));
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// Length of the comment that `text` begins with; comments nest.
fn block_comment(text: &str) -> usize {
    let (mut open, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (open, at) = (open + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (open, at) = (open - 1, at + 2);
            if open == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Length of the literal between quotes that `text` begins with.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of the raw string that `text` begins with, if it does.
fn raw_string(text: &str) -> Option<usize> {
    let prefix = ["r", "br", "cr"].into_iter().find(|prefix| {
        let behind = text.strip_prefix(prefix);
        behind.is_some_and(|behind| behind.trim_start_matches('#').starts_with('"'))
    })?;
    let behind = &text[prefix.len()..];
    let hashes = behind.len() - behind.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let start = prefix.len() + hashes + 1;
    let length = text[start..].find(&end).map(|at| start + at + end.len());
    Some(length.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        let of = |named: Named| {
            let scope = named.scope.join("/");
            let import = named.import.map(|name| format!(" as {name}"));
            format!(
                "{scope}: {}{}",
                named.path.join("::"),
                import.unwrap_or_default()
            )
        };
        let source = read(text, &["m".to_owned()]);
        source.named.into_iter().map(of).collect()
    }

    #[test]
    fn uses_are_taken_apart() {
        assert_eq!(
            named("pub(crate) use crate::a::{self, b::{C, D as E}, f::*, };\nuse super::g as _;"),
            [
                "m: crate::a as a",
                "m: crate::a::b::C as C",
                "m: crate::a::b::D as E",
                "m: crate::a::f",
                "m: super::g as _",
            ]
        );
        assert_eq!(
            named("fn f(x: super::a::B<crate::C>) -> impl Iterator + use<'_> { self::d::<u8>() }"),
            ["m: super::a::B", "m: crate::C", "m: self::d"]
        );
        assert_eq!(
            named("mod inner { use super::A; fn f() {} } use crate::B;"),
            ["m/inner: super::A as A", "m: crate::B as B"]
        );
    }

    #[test]
    fn comments_literals_and_tests_name_nothing() {
        let text = r##"
            //! use crate::a;
            /* use crate::b; /* nested */ use crate::c; */
            const TEXT: &str = "use crate::d; \" crate::e::F";
            const RAW: &str = r#"crate::g::H " use crate::i;"#;
            const QUOTES: (char, char) = ('"', '\'');
            fn f<'a>(x: &'a str) {}
            #[cfg(test)]
            use crate::j::{K, L};
            #[cfg(test)]
            #[path = "x.rs"]
            mod apart;
            #[cfg(test)]
            mod tests { use super::*; fn f() { crate::m::N; } }
            use crate::found;
        "##;
        assert_eq!(named(text), ["m: crate::found as found"]);
        let source = read(text, &[]);
        assert_eq!(source.tests, [["apart"]]);
        assert!(source.inside.is_empty());
    }
}
