//! Holds the invariants of docs/architecture.md: each check passes here, and fails where its violation is planted.

mod direction;
mod papers;
mod rooms;
mod source;
mod style;

use std::path::Path;

use source::Tree;

/// A check: what is wrong with a tree, as `file:line: what`.
type Check = fn(&Tree) -> Vec<String>;

/// A violation: the file that holds it (`None`: is gone), and words of the complaint.
type Seed = (&'static str, Option<&'static str>, &'static str);

/// For each check two tests: this repository holds it, and it catches each seed.
macro_rules! invariants {
    ($($name:ident: $check:path, $(($path:expr, $text:expr, $words:expr)),+ $(,)?;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn holds_here() {
                let complaints = $check(&repository());
                assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
            }

            #[test]
            fn is_caught_when_broken() {
                assert_caught($check, &[$(($path, Option::<&str>::from($text), $words)),+]);
            }
        }
    )+};
}

invariants! {
    modules_import_from_above: direction::check_imports,
        ("src/index.rs", "use crate::{problem::Problem, cover::Coverage};", "index is listed above cover"),
        ("src/load/csv.rs", "fn f() { let _ = vec![super::super::plan::seven()]; }", "load is listed above plan"),
        ("src/index.rs", "mod tests { use super::super::verify; }", "index is listed above verify"),
        ("src/cover/mod.rs", "use crate::Plan;", "import by module path"),
        ("src/stray.rs", "//! Nobody asked.", "does not list the module stray");

    judge_sees_question_and_answer: direction::check_judge,
        ("src/verify.rs", "use crate::cover::Coverage;", "must not see cover"),
        ("src/verify/areas.rs", "fn f() { crate::index::nearest(); }", "must not see index"),
        ("src/verify.rs", "use rstar::RTree;", "must not use rstar");

    only_doors_fail: direction::check_doors,
        ("src/index.rs", "fn near(at: [f64; 2]) -> Result<(), ()> { Ok(()) }", "so near cannot fail"),
        ("src/cover/mod.rs", "trait Reach { fn rows(&self) -> std::io::Result<u8>; }", "so rows cannot fail");

    features_switch_whole_files: direction::check_features,
        ("src/load/mod.rs", "#[cfg(feature = \"gdal\")] fn f() {}", "switches whole files"),
        ("src/load/mod.rs", "fn f() -> bool { cfg!(feature = \"gdal\") }", "switches whole files"),
        ("src/load/mod.rs", "struct S { #[cfg_attr(feature = \"gdal\", serde(skip))] a: u8 }", "switches whole files"),
        ("src/load/mod.rs", "fn f() { vec![#[cfg(feature = \"gdal\")] 1]; }", "switches whole files");

    crates_stay_in_their_rooms: rooms::check_rooms,
        ("src/cover/mod.rs", "use rstar::RTree;", "rstar has no room in cover"),
        ("src/plan/mod.rs", "fn f() { g(csv::ErrorKind::Seek); }", "csv has no room in plan"),
        ("Cargo.toml", "[dependencies]\nanyhow = \"1\"", "anyhow has no room");

    signatures_show_own_types: rooms::check_signatures,
        ("src/load/mod.rs", "pub fn f(from: &csv::StringRecord) {}", "shows csv of csv"),
        ("src/load/mod.rs", "use csv::StringRecord as F;\npub struct S { pub inner: Vec<F> }", "shows F of csv"),
        ("src/load/mod.rs", "pub enum E { A(csv::Error) }", "shows csv of csv"),
        ("src/index.rs", "pub use rstar::RTree;", "shows rstar of rstar");

    answers_ignore_clock_and_chance: rooms::check_determinism,
        ("src/cover/mod.rs", "fn f() { std::time::Instant::now(); }", "cover must not read the clock"),
        ("src/plan/mod.rs", "use std::time::SystemTime;", "plan must not read the clock"),
        ("src/solve/mod.rs", "fn f() -> u8 { rand::random() }", "needs a seed");

    files_open_with_one_sentence: style::check_openings,
        ("src/index.rs", "use std::fmt;\n//! Late.", "one sentence"),
        ("src/index.rs", "//! A title", "one sentence"),
        ("src/index.rs", "//! Two. Sentences.", "one sentence");

    names_say_what_things_are: style::check_names,
        ("src/load/utils.rs", "//! Odds.", "utils says nothing"),
        ("src/load/csv_load.rs", "//! Again.", "stutters"),
        ("src/index.rs", "struct S; impl S { fn get_row(&self) {} }", "no get_"),
        ("src/lib.rs", "pub use plan::{Plan, parts::*};", "not by glob"),
        ("src/index.rs", LONG.as_str(), "more than 600 lines");

    traits_have_two_implementations: style::check_traits,
        ("src/index.rs", "trait Near { fn f(); }\nimpl Near for u8 { fn f() {} }", "Near has fewer than two");

    library_is_quiet_and_calm: style::check_conduct,
        ("src/index.rs", "fn f() { vec![Some(1).unwrap()]; }", "no unwrap"),
        ("src/cli/mod.rs", "fn f() { todo!() }", "no panic"),
        ("src/plan/mod.rs", "fn f() { println!(); }", "only the command prints"),
        ("src/plan/mod.rs", "fn f() { std::process::exit(1) }", "only the command exits"),
        ("src/index.rs", "fn f() { unsafe { g() } }", "unsafe has one file"),
        ("src/index.rs", "#![allow(clippy::panic)]", "with a reason"),
        ("src/index.rs", "#[cfg_attr(test, expect(clippy::panic))] fn f() {}", "with a reason");

    tests_run_and_never_wait: style::check_tests,
        ("tests/it/slow.rs", "#[test] #[ignore] fn f() {}", "no ignored tests"),
        ("tests/it/slow.rs", "fn f() { std::thread::sleep(d); }", "no sleeping");

    key_files_are_there: papers::check_key_files,
        ("LICENSE-MIT", None, "missing"),
        ("scripts/test", "#!/bin/sh", "not executable"),
        ("README.md", "# coverplan\nscripts/demo", "name scripts/test"),
        (".ci/run", "cargo test", "call scripts/test");

    lints_stay_on: papers::check_lints,
        ("Cargo.toml", "[lints.clippy]\npanic = \"warn\"", "deny panic"),
        ("rustfmt.toml", "max_width = 120", "reorder_modules");

    codes_are_documented: papers::check_codes,
        ("src/load/mod.rs", "fn f() { Problem::new(\n    \"no-crs\", place) }", "no-crs has no entry"),
        ("src/load/mod.rs", "fn f() { Problem { code: \"no-id\" } }", "no-id has no entry"),
        ("docs/errors.md", "| `bad-row` | |\n| `gone` | |", "no code in src is gone");

    what_documents_name_is_there: papers::check_named,
        ("docs/model.md", "| row | `load::csv::h` |", "load::csv::h is not in src"),
        ("docs/algorithms.md", "(`solve/gone.rs`)", "solve/gone.rs is not in src");
}

/// A file one line too long.
static LONG: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "//! Long.\n".repeat(601));

/// What the sound tree depends on.
const DEPENDENCIES: &str = "[dependencies]
# Two ways to write a version.
clap = \"4\"
serde.version = \"1\"
geo-types = \"0.7\"
csv = \"1\"
rayon = \"1\"
[dependencies.rstar]
version = \"0.14\"
[dev-dependencies]
proptest = \"1\"
";

/// This repository.
fn repository() -> Tree {
    Tree::read(Path::new(env!("CARGO_MANIFEST_DIR")), &papers::KEY_FILES, &["src", "tests"])
}

/// A small repository that holds every invariant.
fn sound() -> Tree {
    let mut tree = Tree::default();
    for path in papers::KEY_FILES {
        tree.put(path, "scripts/demo scripts/test\nreorder_modules = false", true);
    }
    let denied = papers::DENIED.map(|lint| format!("{lint} = \"deny\"")).join("\n");
    tree.put("Cargo.toml", &format!("{DEPENDENCIES}\n[lints.clippy]\n{denied}"), false);
    for (path, text) in [
        ("docs/errors.md", "# Errors\n| code | cause |\n|---|---|\n| `bad-row` | a row is short |"),
        (
            "src/lib.rs",
            "//! A question turned into an answer.\npub mod problem;\npub mod load;\nmod index;\nmod cover;\nmod solve;\n\
             pub mod scenario;\npub mod plan;\npub mod verify;\npub use plan::Plan;",
        ),
        ("src/main.rs", "//! Words turned into a run.\nmod cli;\nuse clap::Parser;\nfn main() { println!(); }"),
        ("src/cli/mod.rs", "//! Words turned into wishes.\nuse coverplan::Plan;"),
        ("src/problem.rs", "//! A finding turned into words.\npub struct Problem { pub code: &'static str }"),
        (
            "src/load/mod.rs",
            "//! Bytes turned into a layer.\n#[cfg_attr(feature = \"gdal\", path = \"ogr.rs\")]\n#[doc(hidden)]\n\
             pub(crate) mod csv;\nuse crate::problem::Problem;\npub fn f() -> Result<(), Problem> {\n\
             Err(Problem { code: \"bad-row\" }) }\nfn g(x: &csv::StringRecord) { csv::read(x) }",
        ),
        ("src/load/csv.rs", "//! Rows turned into a layer.\nuse super::super::problem;\nuse super::f;"),
        (
            "src/index.rs",
            "//! Sites turned into a tree.\nuse crate::load;\nuse rstar::RTree;\npub(crate) struct I(RTree<u8>);",
        ),
        (
            "src/cover/mod.rs",
            "//! Sites turned into rows.\nuse std::fmt;\nuse crate::index::I;\n\
             impl fmt::Display for C { fn fmt(&self) -> fmt::Result { Ok(()) } }\n\
             #[expect(clippy::panic, reason = \"shown\")]\nfn f() { g().expect(\"it holds\") }",
        ),
        ("src/solve/mod.rs", "//! A program turned into a solution.\nfn f() { std::time::Instant::now(); }"),
        ("src/scenario/mod.rs", "//! Layers turned into a question.\npub struct Scenario { pub at: geo_types::Point }"),
        ("src/plan/mod.rs", "//! A solution turned into a plan.\n#[derive(serde::Serialize)]\npub struct Plan;"),
        (
            "src/verify.rs",
            "//! A plan turned into a verdict.\nuse rayon::prelude::*;\nuse crate::{plan::Plan, scenario};",
        ),
    ] {
        tree.put(path, text, false);
    }
    tree
}

/// Asserts that a check is content with the sound tree and complains about each seed in it.
fn assert_caught(check: Check, seeds: &[Seed]) {
    let complaints = check(&sound());
    assert!(complaints.is_empty(), "the sound tree:\n{}", complaints.join("\n"));
    for (path, text, words) in seeds {
        let mut tree = sound();
        match text {
            Some(text) => tree.put(path, text, false),
            None => tree.remove(path),
        }
        let complaints = check(&tree);
        let is_caught = complaints.iter().any(|complaint| complaint.starts_with(path) && complaint.contains(words));
        assert!(is_caught, "{path} with {text:?} should give \"{words}\", gave:\n{}", complaints.join("\n"));
    }
}
