//! What surrounds the code turned into complaints about missing files, lints and error codes.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Tree;

/// What a reader expects to find.
pub(super) const KEY_FILES: [&str; 20] = [
    "Cargo.toml",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "rustfmt.toml",
    "clippy.toml",
    "rust-toolchain.toml",
    "docs/architecture.md",
    "docs/model.md",
    "docs/algorithms.md",
    "docs/experiments.md",
    "docs/formats.md",
    "docs/errors.md",
    "docs/compare.md",
    "scripts/demo",
    "scripts/test",
    "scripts/bench",
    ".ci/run",
];

/// Every key file is there, every script runs, and the README opens with the two commands.
pub(super) fn check_key_files(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in KEY_FILES {
        match tree.file(path) {
            None => complaints.push(format!("{path}: missing")),
            Some(file) if path.starts_with("scripts/") && !file.executable => {
                complaints.push(format!("{path}: not executable"));
            }
            Some(_) => {}
        }
    }
    let opening: Vec<&str> = tree.text("README.md").lines().take(40).collect();
    for script in ["scripts/demo", "scripts/test"] {
        if !opening.iter().any(|line| line.contains(script)) {
            complaints.push(format!("README.md: name {script} in the first 40 lines"));
        }
    }
    if !tree.text(".ci/run").contains("scripts/test") {
        complaints.push(".ci/run: call scripts/test".into());
    }
    complaints
}

/// The lints that Cargo.toml denies.
pub(super) const DENIED: [&str; 10] = [
    "allow_attributes_without_reason",
    "dbg_macro",
    "exit",
    "iter_over_hash_type",
    "panic",
    "print_stderr",
    "print_stdout",
    "todo",
    "unimplemented",
    "unwrap_used",
];

/// The lints that hold the rest stay switched on.
pub(super) fn check_lints(tree: &Tree) -> Vec<String> {
    let manifest: Vec<&str> = tree.text("Cargo.toml").lines().collect();
    let is_denied = |lint: &str| manifest.iter().any(|line| line.trim_end() == format!("{lint} = \"deny\""));
    let allowed = DENIED.iter().filter(|lint| !is_denied(lint));
    let mut complaints: Vec<String> = allowed.map(|lint| format!("Cargo.toml: deny {lint}")).collect();
    if !tree.text("rustfmt.toml").contains("reorder_modules = false") {
        complaints.push("rustfmt.toml: reorder_modules = false keeps the reading order".into());
    }
    complaints
}

/// Each problem code has an entry in docs/errors.md, and each entry a code.
pub(super) fn check_codes(tree: &Tree) -> Vec<String> {
    let mut used = BTreeMap::new();
    let mut literals = BTreeSet::new();
    for file in tree.rust("src/") {
        let words = file.words();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        for (at, literal) in texts.iter().enumerate() {
            let Some(text) = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { continue };
            literals.insert(text.to_owned());
            let is_code = matches!(&texts[..at], [.., "code", ":"] | [.., "Problem", "::", "new", "("]);
            if is_code {
                used.entry(text.to_owned()).or_insert_with(|| file.at(words[at].line, text));
            }
        }
    }
    let documented = documented(tree.text("docs/errors.md"));
    let silent = used.iter().filter(|(code, _)| !documented.contains_key(*code));
    let stale = documented.iter().filter(|(code, _)| !literals.contains(*code));
    silent
        .map(|(_, place)| format!("{place} has no entry in docs/errors.md"))
        .chain(stale.map(|(code, line)| format!("docs/errors.md:{line}: no code in src is {code}")))
        .collect()
}

/// Each function, module or file that a document names in backticks, as `model::value` or `solve/search.rs`, is there.
pub(super) fn check_named(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for document in ["docs/model.md", "docs/algorithms.md", "docs/experiments.md", "docs/architecture.md"] {
        for (at, line) in tree.text(document).lines().enumerate() {
            let quoted = line.split('`').skip(1).step_by(2);
            let missing = quoted.filter(|name| is_name_of_ours(name) && !is_there(tree, name));
            complaints.extend(missing.map(|name| format!("{document}:{}: {name} is not in src", at + 1)));
        }
    }
    complaints
}

fn is_name_of_ours(name: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let parts: Vec<&str> = match name.strip_suffix(".rs") {
        Some(file) => file.split('/').collect(),
        None => name.split("::").collect(),
    };
    parts.len() > 1 && parts.iter().all(|part| is_plain(part)) && !matches!(parts[0], "std" | "tests" | "crate")
}

fn is_there(tree: &Tree, name: &str) -> bool {
    if let Some(file) = name.strip_suffix(".rs") {
        return tree.file(&format!("src/{}.rs", file.trim_start_matches("src/"))).is_some();
    }
    let files = |module: &str| [format!("src/{module}.rs"), format!("src/{module}/mod.rs")];
    let path = name.replace("::", "/");
    let (module, function) = path.rsplit_once('/').unwrap_or_default();
    let has_function = |file: &String| {
        tree.file(file).is_some()
            && ["(", "<"].iter().any(|next| tree.text(file).contains(&format!("fn {function}{next}")))
    };
    files(&path).iter().any(|file| tree.file(file).is_some()) || files(module).iter().any(has_function)
}

/// The codes that open a table row, in backticks, or are a heading of the third level; with their lines.
fn documented(text: &str) -> BTreeMap<String, usize> {
    let is_code = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    let code = |line: &str| {
        let cell = line.strip_prefix('|').and_then(|row| row.split('|').next()).map(str::trim);
        let quoted = cell.and_then(|cell| cell.strip_prefix('`')?.strip_suffix('`'));
        let heading = line.strip_prefix("### ").map(|heading| heading.trim().trim_matches('`'));
        quoted.or(heading).filter(|code| is_code(code)).map(String::from)
    };
    text.lines().enumerate().filter_map(|(at, line)| Some((code(line)?, at + 1))).collect()
}
