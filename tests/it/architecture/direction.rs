//! The way of the data turned into complaints about code that goes against it.

use super::source::{File, Tree, bracketed};

/// A module imports only from modules that lib.rs lists above it, by module path.
pub(super) fn check_imports(tree: &Tree) -> Vec<String> {
    let order = tree.modules();
    let place = |module: &str| order.iter().position(|listed| listed == module);
    let mut complaints = Vec::new();
    for file in tree.rust("src/").filter(|file| !file.is_command() && file.room() != "lib") {
        let Some(here) = place(file.room()) else {
            complaints.push(file.at(1, format!("lib.rs does not list the module {}", file.room())));
            continue;
        };
        for path in file.paths() {
            let Some(target) = path.absolute().and_then(|target| target.into_iter().next()) else { continue };
            match place(&target) {
                None => {
                    complaints.push(file.at(path.line, format!("crate::{target} is no module; import by module path")));
                }
                Some(there) if there > here => {
                    complaints.push(file.at(path.line, format!("{} is listed above {target}", file.room())));
                }
                Some(_) => {}
            }
        }
    }
    complaints
}

const JUDGE_MODULES: [&str; 4] = ["problem", "scenario", "plan", "verify"];
const JUDGE_CRATES: [&str; 3] = ["geographiclib_rs", "rayon", "serde"];

/// The judge sees the question and the answer, and nothing that found the answer.
pub(super) fn check_judge(tree: &Tree) -> Vec<String> {
    let dependencies = tree.dependencies();
    let mut complaints = Vec::new();
    for file in tree.rust("src/").filter(|file| file.room() == "verify") {
        for path in file.paths() {
            let target = path.absolute().and_then(|target| target.into_iter().next());
            if let Some(target) = target.filter(|target| !JUDGE_MODULES.contains(&target.as_str())) {
                complaints.push(file.at(path.line, format!("the judge must not see {target}")));
            }
        }
        for path in file.foreign(&dependencies) {
            if !JUDGE_CRATES.contains(&path.segments[0].as_str()) {
                complaints.push(file.at(path.line, format!("the judge must not use {}", path.segments[0])));
            }
        }
    }
    complaints
}

const DOORS: [&str; 10] = ["lib", "main", "cli", "problem", "load", "reproject", "scenario", "solve", "plan", "export"];

/// Only reading, the solver call and writing can fail; between them functions are total.
pub(super) fn check_doors(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust("src/").filter(|file| !DOORS.contains(&file.room())) {
        let words = file.words();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        for (at, _) in texts.iter().enumerate().filter(|(_, text)| **text == "fn") {
            let signature = signature(&texts[at..]);
            let fails = |(end, text): (usize, &&str)| *text == "Result" && !signature[..end].ends_with(&["fmt", "::"]);
            if signature.iter().enumerate().any(fails) {
                complaints.push(
                    file.at(words[at].line, format!("{} is no door, so {} cannot fail", file.room(), texts[at + 1])),
                );
            }
        }
    }
    complaints
}

/// The words from `fn` to its body, or to the semicolon in place of one.
fn signature<'a, 'b>(texts: &'b [&'a str]) -> &'b [&'a str] {
    let mut end = 0;
    while let Some(text) = texts.get(end) {
        match *text {
            "{" | ";" => break,
            "(" | "[" => end += bracketed(&texts[end..]).len(),
            _ => end += 1,
        }
    }
    &texts[..end]
}

/// A feature switches whole files: it stands on `mod name;` and nowhere else.
pub(super) fn check_features(tree: &Tree) -> Vec<String> {
    tree.rust("src/").flat_map(feature_complaints).collect()
}

fn feature_complaints(file: &File) -> Vec<String> {
    let words = file.words();
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut complaints = Vec::new();
    for at in 0..texts.len() {
        let rest = &texts[at..];
        let is_misplaced = match rest {
            ["cfg", "!", ..] | ["#", "!", "[", "cfg" | "cfg_attr", ..] => bracketed(&rest[2..]).contains(&"feature"),
            ["#", "[", "cfg" | "cfg_attr", ..] => {
                bracketed(&rest[1..]).contains(&"feature") && !opens_module_file(rest)
            }
            _ => false,
        };
        if is_misplaced {
            complaints.push(file.at(words[at].line, "a feature switches whole files: put it on `mod name;`"));
        }
    }
    complaints
}

/// Whether `mod name;` follows, after attributes and a visibility.
fn opens_module_file(texts: &[&str]) -> bool {
    match texts {
        ["#", rest @ ..] => opens_module_file(&rest[bracketed(rest).len()..]),
        ["pub", "(", ..] => opens_module_file(&texts[1 + bracketed(&texts[1..]).len()..]),
        ["pub", rest @ ..] => opens_module_file(rest),
        ["mod", _, end, ..] => *end == ";",
        _ => false,
    }
}
