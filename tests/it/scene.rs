//! Scenario texts turned into folders, scenarios and outcomes, for the tests.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use coverplan::problem::InputError;
use coverplan::scenario::{self, Scenario};
use coverplan::solve::Watch;
use coverplan::{Outcome, optimize};

/// A folder that is removed when it goes out of scope.
pub(crate) struct Scene {
    pub(crate) folder: tempfile::TempDir,
}

impl Scene {
    /// A folder with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self) -> Result<Scenario, InputError> {
        scenario::read(&self.path("scenario.toml"), &[])
    }

    pub(crate) fn solve(&self) -> Outcome {
        solve(&self.read().expect("the scenario is sound"))
    }
}

/// Solves without anyone watching.
pub(crate) fn solve(scenario: &Scenario) -> Outcome {
    let stop = AtomicBool::new(false);
    optimize(scenario, &Watch { stop: &stop, report: &|_| {} }).expect("the solver works")
}

/// The folder with public data and instances beside the project; `None`, said on stderr, where it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    if !path.exists() {
        let mut stderr = std::io::stderr().lock();
        writeln!(stderr, "skipped: {} is not beside the project", path.display()).expect("stderr is open");
        return None;
    }
    Some(path)
}

/// One unit type of one contributor with one requirement for all sites.
pub(crate) struct Simple<'a> {
    /// Lines of `[sites]` and `[locations]` and top-level keys before them.
    pub(crate) distance: &'a str,
    pub(crate) sites: String,
    pub(crate) locations: String,
    pub(crate) reach: String,
    pub(crate) units: u32,
    pub(crate) requirement: &'a str,
    pub(crate) objective: &'a str,
}

impl Simple<'_> {
    pub(crate) fn text(&self) -> String {
        format!(
            r#"name = "simple"
distance = "{}"
[sites]
{}
[locations]
{}
[[unit_types]]
id = "unit"
reach = {}
[[contributors]]
id = "all"
[[offers]]
contributor = "all"
unit_type = "unit"
count = {}
[[requirements]]
id = "cover"
unit_types = ["unit"]
{}
[objective]
{}
[solve]
time_limit_s = 300
"#,
            self.distance, self.sites, self.locations, self.reach, self.units, self.requirement, self.objective
        )
    }

    pub(crate) fn solve(&self) -> Outcome {
        Scene::new(&[("scenario.toml", &self.text())]).solve()
    }
}
