//! Foreign crates and clocks turned into complaints about rooms they do not belong in.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Fields, ImplItem, Item, TraitItem, Visibility};

use super::source::{File, Tree};

/// Where each foreign crate may be used: a new dependency needs a row.
const ROOMS: [(&str, &[&str]); 35] = [
    ("clap", &["main", "cli"]),
    ("clap_complete", &["main", "cli"]),
    ("clap_mangen", &["main", "cli"]),
    ("crs_definitions", &["reproject"]),
    ("fastrand", &["solve"]),
    ("flate2", &["plan"]),
    ("csv", &["load", "export"]),
    ("gdal", &["load", "export"]),
    ("geo", &["load", "export"]),
    ("geographiclib_rs", &["scenario", "index", "verify", "export"]),
    ("good_lp", &["solve"]),
    ("highs", &["solve"]),
    ("highs_sys", &["solve"]),
    ("indicatif", &["main", "cli"]),
    ("jiff", &["scenario", "export"]),
    ("osmpbf", &["load"]),
    ("proj", &["reproject"]),
    ("proj4rs", &["reproject"]),
    ("rayon", &["load", "index", "cover", "model", "solve", "verify", "export", "cli"]),
    ("robust", &["cover"]),
    ("rstar", &["index", "scenario"]),
    ("rustc_hash", &["solve"]),
    ("rusqlite", &["load", "export"]),
    ("schemars", &["scenario"]),
    ("serde_json", &["load", "scenario", "plan", "export", "cli"]),
    ("sha2", &["load"]),
    ("signal_hook", &["main", "cli"]),
    ("strsim", &["load"]),
    ("tempfile", &["export", "cli"]),
    ("tiff", &["load"]),
    ("toml", &["scenario"]),
    ("zip", &["load", "export"]),
    // At home everywhere in the library.
    ("geo_types", &[]),
    ("serde", &[]),
    ("thiserror", &[]),
];

/// The crates whose types the library may show; std aside.
const SHOWN: [&str; 2] = ["geo_types", "serde"];

/// Every dependency has a room and stays in it.
pub(super) fn check_rooms(tree: &Tree) -> Vec<String> {
    let rooms = BTreeMap::from(ROOMS);
    let dependencies = tree.dependencies();
    let homeless = dependencies.iter().filter(|name| !rooms.contains_key(name.as_str()));
    let mut complaints: Vec<String> =
        homeless.map(|name| format!("Cargo.toml: {name} has no room; give it one in {}", file!())).collect();
    for file in tree.rust("src/") {
        for path in file.foreign(&dependencies) {
            let name = path.segments[0].as_str();
            let is_stranger = rooms.get(name).is_some_and(|rooms| !rooms.is_empty() && !rooms.contains(&file.room()));
            if is_stranger {
                complaints.push(file.at(path.line, format!("{name} has no room in {}", file.room())));
            }
        }
    }
    complaints
}

/// What the library shows is made of its own types, `geo_types` and std.
pub(super) fn check_signatures(tree: &Tree) -> Vec<String> {
    let mut crates = tree.dependencies();
    crates.retain(|name| !SHOWN.contains(&name.as_str()));
    tree.rust("src/").filter(|file| !file.is_command()).flat_map(|file| Shown::of(file, &crates)).collect()
}

/// Collects the foreign names in what a file shows.
struct Shown<'a> {
    file: &'a File,
    /// What the file calls a foreign thing, and the crate it is from.
    foreign: BTreeMap<String, String>,
    complaints: Vec<String>,
}

impl<'a> Shown<'a> {
    fn of(file: &'a File, crates: &BTreeSet<String>) -> Vec<String> {
        let mut foreign = BTreeMap::new();
        for path in file.foreign(crates) {
            let name = path.segments[0].clone();
            foreign.insert(path.name, name.clone());
            foreign.insert(name.clone(), name);
        }
        let mut shown = Self { file, foreign, complaints: Vec::new() };
        shown.items(&file.syntax().items);
        shown.complaints
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(item) => self.items(item.content.as_ref().map_or(&[], |(_, items)| items)),
                Item::Fn(item) if is_shown(&item.vis) => self.visit_signature(&item.sig),
                Item::Const(item) if is_shown(&item.vis) => self.visit_type(&item.ty),
                Item::Static(item) if is_shown(&item.vis) => self.visit_type(&item.ty),
                Item::Type(item) if is_shown(&item.vis) => self.visit_type(&item.ty),
                Item::Struct(item) if is_shown(&item.vis) => {
                    self.visit_generics(&item.generics);
                    self.fields(&item.fields, false);
                }
                Item::Enum(item) if is_shown(&item.vis) => {
                    item.variants.iter().for_each(|variant| self.fields(&variant.fields, true));
                }
                Item::Trait(item) if is_shown(&item.vis) => {
                    for item in &item.items {
                        if let TraitItem::Fn(item) = item {
                            self.visit_signature(&item.sig);
                        }
                    }
                }
                Item::Impl(item) if item.trait_.is_none() => {
                    for item in &item.items {
                        match item {
                            ImplItem::Fn(item) if is_shown(&item.vis) => self.visit_signature(&item.sig),
                            ImplItem::Const(item) if is_shown(&item.vis) => self.visit_type(&item.ty),
                            _ => {}
                        }
                    }
                }
                Item::Use(item) if is_shown(&item.vis) => self.visit_use_tree(&item.tree),
                _ => {}
            }
        }
    }

    fn fields(&mut self, fields: &Fields, are_all_shown: bool) {
        for field in fields.iter().filter(|field| are_all_shown || is_shown(&field.vis)) {
            self.visit_type(&field.ty);
        }
    }

    fn note(&mut self, name: &syn::Ident) {
        if let Some(from) = self.foreign.get(&name.to_string()) {
            let complaint = format!("a public signature shows {name} of {from}");
            self.complaints.push(self.file.at(name.span().start().line, complaint));
        }
    }
}

impl<'ast> Visit<'ast> for Shown<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.note(&path.segments[0].ident);
        visit::visit_path(self, path);
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        self.note(&path.ident);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

fn is_shown(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

const CLOCK_ROOMS: [&str; 4] = ["solve", "cli", "main", "lib"];

/// Answers depend on neither the clock nor chance.
pub(super) fn check_determinism(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust("src/") {
        for path in file.paths() {
            let has = |name: &str| path.segments.iter().any(|segment| segment == name);
            let reads_clock = has("SystemTime") || path.segments.last().is_some_and(|last| last == "now");
            if reads_clock && !CLOCK_ROOMS.contains(&file.room()) {
                complaints.push(file.at(path.line, format!("{} must not read the clock", file.room())));
            }
            if has("thread_rng") || path.segments.starts_with(&["rand".into(), "random".into()]) {
                complaints.push(file.at(path.line, "chance needs a seed from the scenario"));
            }
        }
    }
    complaints
}
