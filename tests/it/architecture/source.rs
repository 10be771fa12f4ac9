//! A repository turned into files, words and paths that the checks ask about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// What a repository holds, by path relative to its root.
#[derive(Clone, Default)]
pub(super) struct Tree {
    files: BTreeMap<String, File>,
}

/// One file of a repository.
#[derive(Clone)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) executable: bool,
}

impl Tree {
    /// Reads `files` and every Rust file below `folders`; what is missing is left out.
    pub(super) fn read(root: &Path, files: &[&str], folders: &[&str]) -> Self {
        let mut tree = Self::default();
        for file in files {
            tree.take(root, &root.join(file));
        }
        for folder in folders {
            tree.take_rust(root, &root.join(folder));
        }
        tree
    }

    fn take_rust(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("the checkout is readable").path();
            if path.is_dir() {
                self.take_rust(root, &path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                self.take(root, &path);
            }
        }
    }

    fn take(&mut self, root: &Path, path: &Path) {
        let Ok(text) = fs::read_to_string(path) else { return };
        let relative = path.strip_prefix(root).expect("it was found below the root");
        let relative = relative.to_string_lossy().replace('\\', "/");
        self.put(&relative, &text, is_executable(path));
    }

    /// Adds a file, or replaces it.
    pub(super) fn put(&mut self, path: &str, text: &str, executable: bool) {
        let file = File { path: path.into(), text: text.into(), executable };
        self.files.insert(path.into(), file);
    }

    /// Takes a file away.
    pub(super) fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// The text of a file, empty where there is none.
    pub(super) fn text(&self, path: &str) -> &str {
        self.file(path).map_or("", |file| &file.text)
    }

    /// The Rust files below a folder such as `src/`.
    pub(super) fn rust(&self, folder: &str) -> impl Iterator<Item = &File> {
        let is_rust = |file: &File| Path::new(&file.path).extension().is_some_and(|ending| ending == "rs");
        self.files.values().filter(move |file| file.path.starts_with(folder) && is_rust(file))
    }

    /// The modules of the library, in the order of lib.rs.
    pub(super) fn modules(&self) -> Vec<String> {
        self.file("src/lib.rs").map_or_else(Vec::new, File::declared)
    }

    /// The crates that Cargo.toml lets the library use, as code spells them.
    pub(super) fn dependencies(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut inside = false;
        for line in self.text("Cargo.toml").lines().map(str::trim) {
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                inside = section == "dependencies" || section.ends_with(".dependencies");
                found.extend(section.strip_prefix("dependencies.").map(|name| name.replace('-', "_")));
            } else if inside && !line.starts_with('#') {
                let name = line.split_once('=').map(|(key, _)| key.split('.').next().unwrap_or(key).trim());
                found.extend(name.map(|name| name.replace('-', "_")));
            }
        }
        found
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}

/// A token, or one side of a bracket; `::` is one word.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A path as a file writes it, `use` groups taken apart.
pub(super) struct Named {
    pub(super) segments: Vec<String>,
    /// What the file calls it: the last segment, or the word after `as`.
    pub(super) name: String,
    pub(super) imported: bool,
    pub(super) line: usize,
    /// The module it is written in.
    module: Vec<String>,
}

impl Named {
    /// The path from the crate's root; `None` for names from elsewhere.
    pub(super) fn absolute(&self) -> Option<Vec<String>> {
        let (first, mut rest) = self.segments.split_first()?;
        let mut base = self.module.clone();
        match first.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => {
                base.pop();
            }
            _ => return None,
        }
        while let Some(("super", further)) = rest.split_first().map(|(word, further)| (word.as_str(), further)) {
            base.pop();
            rest = further;
        }
        base.extend_from_slice(rest);
        Some(base)
    }
}

impl File {
    /// A complaint about a line.
    pub(super) fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    /// The module that holds the file, from the crate's root; empty for lib.rs and main.rs.
    pub(super) fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = path.split('/').map(String::from).collect();
        if module.last().is_some_and(|last| last == "mod") || matches!(path, "lib" | "main") {
            module.pop();
        }
        module
    }

    /// The top module that holds the file; `lib` and `main` for the roots.
    pub(super) fn room(&self) -> &str {
        let path = self.path.trim_start_matches("src/");
        path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
    }

    /// Whether the file is of the command rather than the library.
    pub(super) fn is_command(&self) -> bool {
        matches!(self.room(), "main" | "cli")
    }

    pub(super) fn syntax(&self) -> syn::File {
        syn::parse_file(&self.text).expect("rustc has read it before")
    }

    /// The file as one row of words, macro bodies included, comments left out.
    pub(super) fn words(&self) -> Vec<Word> {
        let tokens: TokenStream = self.text.parse().expect("rustc has read it before");
        let mut words = Vec::new();
        flatten(tokens, &mut words);
        words
    }

    /// The modules the file declares, in its order.
    pub(super) fn declared(&self) -> Vec<String> {
        let words = self.words();
        let is_end = |word: &Word| matches!(word.text.as_str(), ";" | "{");
        let found = words.windows(3).filter(|three| three[0].text == "mod" && is_end(&three[2]));
        found.map(|three| three[1].text.clone()).collect()
    }

    /// Every path in the file: each leaf of a `use`, and every `a::b` elsewhere.
    pub(super) fn paths(&self) -> Vec<Named> {
        let words = self.words();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let mut reader = PathReader { words: &words, texts: &texts, module: self.module(), found: Vec::new() };
        let (mut at, mut depth, mut inline) = (0, 0_usize, Vec::new());
        while at < texts.len() {
            match &texts[at..] {
                ["mod", name, "{", ..] => {
                    reader.module.push((*name).into());
                    inline.push(depth);
                    depth += 1;
                    at += 3;
                }
                ["use", next, ..] if *next != "<" => at = reader.read(at + 1, &[], true),
                [name, "::", ..] if is_name(name) => at = reader.read(at, &[], false),
                [word, ..] => {
                    depth += usize::from(*word == "{");
                    depth -= usize::from(*word == "}");
                    if *word == "}" && inline.last() == Some(&depth) {
                        inline.pop();
                        reader.module.pop();
                    }
                    at += 1;
                }
                [] => {}
            }
        }
        reader.found
    }

    /// The paths that start with one of `crates`; a name that the file gives to its own module is none.
    pub(super) fn foreign(&self, crates: &BTreeSet<String>) -> Vec<Named> {
        let mut paths = self.paths();
        let mut own: BTreeSet<String> = self.declared().into_iter().collect();
        own.extend(
            paths.iter().filter(|path| path.imported && path.absolute().is_some()).map(|path| path.name.clone()),
        );
        paths.retain(|path| crates.contains(&path.segments[0]) && !own.contains(&path.segments[0]));
        paths
    }
}

struct PathReader<'a> {
    words: &'a [Word],
    texts: &'a [&'a str],
    module: Vec<String>,
    found: Vec<Named>,
}

impl PathReader<'_> {
    /// Reads the path, or the tree of paths, that starts at a word; returns where it ends.
    fn read(&mut self, mut at: usize, before: &[String], imported: bool) -> usize {
        let mut segments = before.to_vec();
        at += usize::from(self.texts[at] == "::");
        loop {
            if self.texts[at] == "{" {
                at += 1;
                while self.texts[at] != "}" {
                    at = if self.texts[at] == "," { at + 1 } else { self.read(at, &segments, imported) };
                }
                return at + 1;
            }
            segments.push(self.texts[at].into());
            at += 1;
            match &self.texts[at..] {
                ["::", next, ..] if is_name(next) || matches!(*next, "{" | "*") => at += 1,
                _ => break,
            }
        }
        let line = self.words[at - 1].line;
        let mut name = segments.last().cloned().unwrap_or_default();
        if let (true, ["as", alias, ..]) = (imported, &self.texts[at..]) {
            name = (*alias).into();
            at += 2;
        }
        self.found.push(Named { segments, name, imported, line, module: self.module.clone() });
        at
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn flatten(tokens: TokenStream, words: &mut Vec<Word>) {
    let mut half_colon = false;
    for token in tokens {
        let line = token.span().start().line;
        let mut push = |text: &str, line| words.push(Word { text: text.into(), line });
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket | Delimiter::None => ("[", "]"),
                };
                push(open, line);
                flatten(group.stream(), words);
                words.push(Word { text: close.into(), line: group.span_close().start().line });
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' => {
                let is_second = std::mem::take(&mut half_colon);
                if is_second {
                    push("::", line);
                } else if mark.spacing() == Spacing::Joint {
                    half_colon = true;
                } else {
                    push(":", line);
                }
            }
            other => push(&other.to_string(), line),
        }
    }
}

/// The words from an opening bracket to the one that closes it, both included.
pub(super) fn bracketed<'a, 'b>(texts: &'b [&'a str]) -> &'b [&'a str] {
    let mut depth = 0_usize;
    for (at, text) in texts.iter().enumerate() {
        match *text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &texts[..=at];
        }
    }
    texts
}
