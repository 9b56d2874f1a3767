//! No files of a crate take from each other in a ring: each can be read after those that it builds on.
//!
//! A module and its own ancestors and descendants are one thing in parts: paths between them do not count. A name is
//! followed through `use`s and re-exports to the file that has it; globs are not looked into.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Source, joined, read};

/// A module of a crate.
#[derive(Default)]
struct Module {
    /// The module whose file it is written in.
    owner: Vec<String>,
    /// Its `use`s by the name that they give.
    imports: BTreeMap<String, Vec<String>>,
}

/// The modules of a crate by their paths.
struct Modules(BTreeMap<Vec<String>, Module>);

/// Ties from a file to another, with the names that make them.
type Ties = BTreeMap<Vec<String>, BTreeMap<Vec<String>, BTreeSet<String>>>;

/// The rings among the files of a crate, in words; `sources` are their paths below `src` and their texts.
pub(super) fn cycles(sources: &[(String, String)]) -> Vec<String> {
    let names: BTreeMap<Vec<String>, &str> = sources
        .iter()
        .map(|(file, _)| (module_of(file), file.as_str()))
        .collect();
    let ties = ties(sources);
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    for start in ties.keys() {
        if told.contains(start) {
            continue;
        }
        let ring: BTreeSet<&Vec<String>> = reached(&ties, start)
            .into_iter()
            .filter(|other| reached(&ties, other).contains(start))
            .collect();
        told.extend(ring.iter().copied().cloned());
        let mut words = Vec::new();
        for &from in &ring {
            for (to, items) in ties[from].iter().filter(|(to, _)| ring.contains(to)) {
                let items: Vec<&str> = items.iter().map(String::as_str).collect();
                let (from, to) = (names[from], names[to]);
                words.push(format!("{from} takes {} from {to}", items.join(", ")));
            }
        }
        if !words.is_empty() {
            problems.push(words.join("; "));
        }
    }
    problems
}

/// The module of a file, given as a path below `src`.
fn module_of(file: &str) -> Vec<String> {
    let mut path: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if path.last() == Some(&"mod") || path == ["lib"] || path == ["main"] {
        path.pop();
    }
    joined(&[], &path)
}

/// The ties that count.
fn ties(sources: &[(String, String)]) -> Ties {
    let read: Vec<(Vec<String>, Source)> = sources
        .iter()
        .map(|(file, text)| (module_of(file), text))
        .map(|(module, text)| (module.clone(), read(text, &module)))
        .collect();
    let tests: Vec<&Vec<String>> = read.iter().flat_map(|(_, source)| &source.tests).collect();
    let of_tests = |module: &[String]| tests.iter().any(|test| module.starts_with(test));
    let mut modules = Modules(BTreeMap::new());
    let library = || read.iter().filter(|(module, _)| !of_tests(module));
    for (owner, source) in library() {
        for module in source.inside.iter().chain([owner]) {
            let new = modules.0.entry(module.clone()).or_default();
            new.owner.clone_from(owner);
        }
        for named in &source.named {
            if let Some(import) = &named.import {
                let scope = modules.0.entry(named.scope.clone()).or_default();
                scope.imports.insert(import.clone(), named.path.clone());
            }
        }
    }
    let mut ties = Ties::new();
    for (from, source) in library() {
        for named in &source.named {
            let Some(to) = modules.owner_of(&named.scope, &named.path, 0) else {
                continue;
            };
            let item = named.path.last().cloned().unwrap_or_default();
            if !from.starts_with(&to) && !to.starts_with(from) {
                let ties = ties.entry(from.clone()).or_default();
                ties.entry(to).or_default().insert(item);
            }
        }
    }
    ties
}

/// The files that can be come to from `start`, which is among them only by a ring.
fn reached<'t>(ties: &'t Ties, start: &[String]) -> BTreeSet<&'t Vec<String>> {
    let next = |from: &[String]| ties.get(from).into_iter().flat_map(BTreeMap::keys);
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Vec<String>> = next(start).collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(next(module));
        }
    }
    reached
}

/// `use`s that are followed one after the other.
const MOST_IMPORTS: usize = 16;

impl Modules {
    /// The module in whose file the item at `path` lies, as seen from `scope`; none outside of the crate.
    fn owner_of(&self, scope: &[String], path: &[String], followed: usize) -> Option<Vec<String>> {
        if followed > MOST_IMPORTS {
            return None;
        }
        let behind = |import: &Vec<String>, rest: &[String]| [import, rest].concat();
        let up = path.iter().take_while(|segment| *segment == "super");
        let absolute = match (path.first()?.as_str(), up.count()) {
            ("crate", _) => path[1..].to_vec(),
            ("self", _) => [scope, &path[1..]].concat(),
            ("super", up) => [&scope[..scope.len().checked_sub(up)?], &path[up..]].concat(),
            (first, _) if self.0.contains_key(&joined(scope, &[first])) => [scope, path].concat(),
            (first, _) => {
                let import = self.0.get(scope)?.imports.get(first)?;
                // A `use` of another crate's item by its own name would lead to itself.
                let leads_on = import.first().is_some_and(|start| start != first);
                return leads_on
                    .then(|| self.owner_of(scope, &behind(import, &path[1..]), followed + 1))?;
            }
        };
        // The item of a name goes before a module of the same name, which is seldom meant at the end of a path.
        if let Some((name, parent)) = absolute.split_last()
            && let Some(import) = self.0.get(parent).and_then(|m| m.imports.get(name))
            && let Some(owner) = self.owner_of(parent, import, followed + 1)
        {
            return Some(owner);
        }
        let known = (0..=absolute.len()).rev();
        let mut known = known.map(|length| absolute.split_at(length));
        let (module, rest) = known.find(|(module, _)| self.0.contains_key(*module))?;
        let found = &self.0[module];
        let import = rest.first().and_then(|name| found.imports.get(name));
        let through = import
            .and_then(|import| self.owner_of(module, &behind(import, &rest[1..]), followed + 1));
        through.or_else(|| Some(found.owner.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sources: &[(&str, &str)]) -> Vec<String> {
        let owned = |&(file, text): &(&str, &str)| (file.to_owned(), text.to_owned());
        cycles(&sources.iter().map(owned).collect::<Vec<_>>())
    }

    #[test]
    fn rings_of_siblings_are_named() {
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::{B, Other}; pub struct A;"),
                ("b.rs", "pub struct B(super::a::A); pub struct Other;"),
            ]),
            ["a.rs takes B, Other from b.rs; b.rs takes A from a.rs"]
        );
        let three = found(&[
            ("main.rs", "mod a; mod b; mod c; mod d;"),
            ("a.rs", "use crate::b;"),
            ("b/mod.rs", "use crate::c::inner::C;"),
            (
                "c.rs",
                "pub mod inner { use super::super::a::A; pub struct C; }",
            ),
            ("d.rs", "use crate::a::A; use serde::Serialize;"),
        ]);
        assert_eq!(
            three,
            ["a.rs takes b from b/mod.rs; b/mod.rs takes C from c.rs; c.rs takes A from a.rs"]
        );
    }

    #[test]
    fn parents_and_children_are_one_thing() {
        let none: [&str; 0] = [];
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; pub use a::A; fn root() {}"),
                ("a/mod.rs", "mod b; use b::B; pub struct A;"),
                (
                    "a/b.rs",
                    "use super::A; use crate::root; mod c; pub struct B(c::C);"
                ),
                ("a/b/c.rs", "use crate::a::A; pub struct C;"),
            ]),
            none
        );
        // A descendant may close a ring with others.
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod d;"),
                ("a.rs", "mod b;"),
                ("a/b.rs", "use crate::d::D;"),
                ("d.rs", "use crate::a::b::B;"),
            ]),
            ["a/b.rs takes D from d.rs; d.rs takes B from a/b.rs"]
        );
    }

    #[test]
    fn names_are_followed_through_exports() {
        let lib =
            "mod a; mod b; pub use a::A; pub use inner::B; mod inner { pub use crate::b::B; }";
        assert_eq!(
            found(&[
                ("lib.rs", lib),
                ("a.rs", "use crate::B; pub struct A;"),
                ("b.rs", "use crate::A as Mine; pub struct B(Mine);"),
            ]),
            ["a.rs takes B from b.rs; b.rs takes A from a.rs"]
        );
        // Imports that are not public are names for children all the same.
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod b; use a::A; use b::B;"),
                ("a.rs", "use super::B; pub struct A;"),
                ("b.rs", "use super::A; pub struct B;"),
            ]),
            ["a.rs takes B from b.rs; b.rs takes A from a.rs"]
        );
        // The function `a` of another file is not the module `a`.
        let none: [&str; 0] = [];
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod b; mod c; pub use c::a;"),
                ("a.rs", "use crate::b::B;"),
                ("b.rs", "use crate::a; pub struct B;"),
                ("c.rs", "pub fn a() {}"),
            ]),
            none
        );
    }

    #[test]
    fn comments_and_tests_tie_nothing() {
        let none: [&str; 0] = [];
        assert_eq!(
            found(&[
                ("lib.rs", "mod a; mod b;"),
                ("a.rs", "use crate::b::B; #[cfg(test)] mod tests;"),
                ("a/tests.rs", "use crate::b::B;"),
                (
                    "b.rs",
                    "// use crate::a::A;\n#[cfg(test)] mod tests { use crate::a::A; }"
                ),
                ("b/notes.rs", "const TEXT: &str = \"use crate::a::A;\";"),
            ]),
            none
        );
    }
}
