//! The house style turned into complaints about openings, names, lengths and silenced lints.

use std::collections::BTreeMap;

use syn::UseTree;
use syn::visit::{self, Visit};

use super::source::{File, Tree, bracketed};

/// Every file opens with one sentence.
pub(super) fn check_openings(tree: &Tree) -> Vec<String> {
    let is_sentence = |file: &&File| {
        let first = file.text.lines().next().unwrap_or_default();
        first.strip_prefix("//! ").is_some_and(|text| text.ends_with('.') && !text.contains(". "))
    };
    let unopened = tree.rust("src/").filter(|file| !is_sentence(file));
    unopened.map(|file| file.at(1, "open with one `//!` line that is one sentence")).collect()
}

const LINES_MAX: usize = 600;
const VAGUE: [&str; 8] = ["util", "utils", "common", "core", "helpers", "manager", "service", "misc"];

/// Names say what things are, once, and files stay short.
pub(super) fn check_names(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust("src/") {
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            complaints.push(file.at(lines, format!("more than {LINES_MAX} lines; make it a folder")));
        }
        let module = file.module();
        for name in module.iter().chain(&file.declared()).filter(|name| VAGUE.contains(&name.as_str())) {
            complaints.push(file.at(1, format!("the name {name} says nothing")));
        }
        if let [.., folder, name] = module.as_slice()
            && name.split('_').any(|word| word == folder)
        {
            complaints.push(file.at(1, format!("{folder}/{name} stutters")));
        }
        let mut names = Names { file, complaints: &mut complaints };
        names.visit_file(&file.syntax());
    }
    complaints
}

struct Names<'a> {
    file: &'a File,
    complaints: &'a mut Vec<String>,
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        let name = &signature.ident;
        if name.to_string().starts_with("get_") {
            self.complaints.push(self.file.at(name.span().start().line, format!("{name}: no get_")));
        }
        visit::visit_signature(self, signature);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !matches!(item.vis, syn::Visibility::Inherited) && has_glob(&item.tree) {
            self.complaints.push(self.file.at(item.use_token.span.start().line, "re-export by name, not by glob"));
        }
    }
}

fn has_glob(tree: &UseTree) -> bool {
    match tree {
        UseTree::Glob(_) => true,
        UseTree::Path(path) => has_glob(&path.tree),
        UseTree::Group(group) => group.items.iter().any(has_glob),
        UseTree::Name(_) | UseTree::Rename(_) => false,
    }
}

/// A trait earns its place with two implementations.
pub(super) fn check_traits(tree: &Tree) -> Vec<String> {
    let mut traits = Traits::default();
    for file in tree.rust("src/") {
        traits.path.clone_from(&file.path);
        traits.visit_file(&file.syntax());
    }
    let Traits { declared, implemented, .. } = traits;
    let lonely = declared.iter().filter(|(name, _)| implemented.get(*name).is_none_or(|count| *count < 2));
    lonely.map(|(name, place)| format!("{place}: trait {name} has fewer than two implementations")).collect()
}

#[derive(Default)]
struct Traits {
    path: String,
    declared: BTreeMap<String, String>,
    implemented: BTreeMap<String, usize>,
}

impl<'ast> Visit<'ast> for Traits {
    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        let place = format!("{}:{}", self.path, item.ident.span().start().line);
        self.declared.insert(item.ident.to_string(), place);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(last) = item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()) {
            *self.implemented.entry(last.ident.to_string()).or_default() += 1;
        }
    }
}

const UNSAFE_FILE: &str = "src/solve/highs_ffi.rs";

/// The library neither panics nor prints, and lints are silenced only with a reason.
pub(super) fn check_conduct(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust("src/") {
        let words = file.words();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        for at in 0..texts.len() {
            let what = match &texts[at..] {
                [".", "unwrap", "(", ..] => "no unwrap; say with expect why it holds",
                ["panic" | "todo" | "unimplemented" | "dbg", "!", ..] => "no panic, todo or dbg",
                ["print" | "println" | "eprint" | "eprintln", "!", ..] if !file.is_command() => {
                    "only the command prints"
                }
                ["process", "::", "exit", ..] if !file.is_command() => "only the command exits",
                ["unsafe", ..] if file.path != UNSAFE_FILE => "unsafe has one file, and this is not it",
                ["[" | "," | "(", "allow" | "expect", "(", ..]
                    if is_attribute(&texts[..=at]) && !bracketed(&texts[at + 2..]).contains(&"reason") =>
                {
                    "a lint is silenced with a reason"
                }
                _ => continue,
            };
            complaints.push(file.at(words[at].line, what));
        }
    }
    complaints
}

/// Whether an attribute's words follow: at `#[`, or further inside `#[cfg_attr(`.
fn is_attribute(texts: &[&str]) -> bool {
    let is_open = |at: &usize| bracketed(&texts[*at..]).len() == texts.len() - at;
    match texts {
        [.., "#", "["] | [.., "#", "!", "["] => true,
        _ => (0..texts.len()).rev().find(|at| texts[*at] == "cfg_attr").is_some_and(|at| is_open(&(at + 1))),
    }
}

/// Every test runs, and none waits.
pub(super) fn check_tests(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust("tests/").chain(tree.rust("src/")) {
        let words = file.words();
        for three in words.windows(3) {
            let what = match [&*three[0].text, &*three[1].text, &*three[2].text] {
                ["#", "[", "ignore"] => "no ignored tests",
                ["thread", "::", "sleep"] => "no sleeping",
                _ => continue,
            };
            complaints.push(file.at(three[0].line, what));
        }
    }
    complaints
}
