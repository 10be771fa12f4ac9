//! The command as a black box: exit codes, what goes where, what is left on the disk.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::scene::Scene;

/// Three sites, two locations, one unit of 30 km.
const SCENARIO: &str = r#"name = "small"
[sites]
source = "sites.csv"
[locations]
source = "locations.csv"
[[unit_types]]
id = "unit"
headcount = 10
reach = { kind = "range", km = 30 }
[[contributors]]
id = "A"
[[offers]]
contributor = "A"
unit_type = "unit"
count = 1
[[requirements]]
id = "cover"
unit_types = ["unit"]
"#;
const SITES: &str = "id,name,lon,lat,weight\na,Alpha,10.0,50.0,5\nb,Beta,10.2,50.0,7\nc,Gamma,12.0,50.0,3\n";
const LOCATIONS: &str = "id,lon,lat\nL1,10.1,50.0\nL2,12.0,50.1\n";

fn small() -> Scene {
    Scene::new(&[("scenario.toml", SCENARIO), ("sites.csv", SITES), ("locations.csv", LOCATIONS)])
}

fn coverplan(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coverplan"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the command starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("the command was not killed")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("stdout is UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("stderr is UTF-8")
}

fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder can be listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn solve_writes_a_whole_plan_and_verify_accepts_it() {
    let scene = small();
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "stdout is for data that was asked for");
    assert!(stderr(&output).contains("Proven best"), "{}", stderr(&output));
    let expected = [
        "links.geojson",
        "placements.geojson",
        "plan.gpkg",
        "plan.json",
        "reach.geojson",
        "scenario.toml",
        "sites.geojson",
    ];
    assert_eq!(entries(&scene.path("small.plan")), expected);
    assert_eq!(entries(scene.folder.path()), ["locations.csv", "scenario.toml", "sites.csv", "small.plan"]);
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scene.path("small.plan/plan.json")).expect("plan.json")).expect("JSON");
    assert_eq!(plan["status"], "optimal");
    assert_eq!(plan["requirements"][0]["covered_weight"], 12.0);
    let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
    assert_eq!(code(&verified), 0, "{}", stderr(&verified));
}

#[test]
fn sites_are_listed_as_asked_and_verify_judges_the_list() {
    let scene = small();
    let sites = std::fs::read_to_string(scene.path("sites.csv")).expect("sites");
    let header: Vec<&str> = sites.lines().next().expect("a header").split(',').collect();
    let cell = |column: &&str| match *column {
        "id" => "far",
        "lon" => "-120",
        "lat" => "-40",
        _ => "1",
    };
    let far: Vec<&str> = header.iter().map(cell).collect();
    std::fs::write(scene.path("sites.csv"), format!("{}\n{}\n", sites.trim_end(), far.join(","))).expect("written");
    let features = |plan: &str, file: &str| {
        let text = std::fs::read(scene.path(plan).join(file)).expect("a layer");
        let layer: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        layer["features"].as_array().expect("features").clone()
    };
    for listed in ["none", "uncovered", "all"] {
        let output = coverplan(scene.folder.path(), &["solve", "scenario.toml", "--sites", listed, "-o", listed]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let verified = coverplan(scene.folder.path(), &["verify", listed]);
        assert_eq!(code(&verified), 0, "{listed}: {}", stderr(&verified));
    }
    let all = features("all", "sites.geojson");
    let uncovered: Vec<_> = all.iter().filter(|site| site["properties"]["covered"] == false).cloned().collect();
    assert!(!uncovered.is_empty() && uncovered.len() < all.len());
    assert_eq!(features("uncovered", "sites.geojson"), uncovered);
    assert!(features("none", "sites.geojson").is_empty());
    assert!(!features("all", "links.geojson").is_empty());
    assert!(features("uncovered", "links.geojson").is_empty() && features("none", "links.geojson").is_empty());
    // A list that is shorter than plan.json says is no list.
    std::fs::copy(scene.path("none/sites.geojson"), scene.path("uncovered/sites.geojson")).expect("copied");
    let verified = coverplan(scene.folder.path(), &["verify", "uncovered"]);
    assert_eq!(code(&verified), 1, "{}", stderr(&verified));
    assert!(stderr(&verified).contains("site-claim-differs"), "{}", stderr(&verified));
}

#[test]
fn verify_rejects_a_moved_placement() {
    let scene = small();
    assert_eq!(code(&coverplan(scene.folder.path(), &["solve", "scenario.toml"])), 0);
    let path = scene.path("small.plan/placements.geojson");
    let text = std::fs::read_to_string(&path).expect("placements");
    assert!(text.contains("10.1"), "{text}");
    std::fs::write(&path, text.replacen("10.1", "10.3", 1)).expect("a file can be written");
    let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
    assert_eq!(code(&verified), 1);
    assert!(stderr(&verified).contains("placement-moved"), "{}", stderr(&verified));
}

#[test]
fn verify_rejects_whatever_is_not_as_it_was_written() {
    let scene = small();
    let edits = [
        ("plan.json", "\"placements\": 1", "\"placements\": 2"),
        ("plan.json", "\"used\": 1", "\"used\": 0"),
        ("placements.geojson", "\"headcount\":10", "\"headcount\":11"),
        ("placements.geojson", "\"weight_covered_alone\":12.0", "\"weight_covered_alone\":1.0"),
        ("sites.geojson", "Beta", "Theta"),
        ("sites.geojson", "\"nearest_km\":7.", "\"nearest_km\":8."),
        ("reach.geojson", "]]]]", "]]]],[]"),
        ("links.geojson", "\"km\":7.", "\"km\":8."),
    ];
    for (file, from, to) in edits {
        assert_eq!(code(&coverplan(scene.folder.path(), &["solve", "scenario.toml", "--overwrite"])), 0);
        let path = scene.path("small.plan").join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the plan");
        assert!(text.contains(from), "{file} holds no {from}: {text}");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("a file can be written");
        let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
        assert_eq!(code(&verified), 1, "{file}: {from}");
        assert!(stderr(&verified).contains("[file-differs]"), "{}", stderr(&verified));
    }
    std::fs::remove_file(scene.path("small.plan/links.geojson")).expect("removed");
    assert_eq!(code(&coverplan(scene.folder.path(), &["verify", "small.plan"])), 1);
}

#[test]
fn verify_says_what_it_does_not_compare() {
    let scene = small();
    assert_eq!(code(&coverplan(scene.folder.path(), &["solve", "scenario.toml"])), 0);
    let whole = coverplan(scene.folder.path(), &["verify", "small.plan", "--json"]);
    assert!(stdout(&whole).contains("\"files_compared\":true"), "{}", stdout(&whole));
    let path = scene.path("small.plan/plan.json");
    let text = std::fs::read_to_string(&path).expect("a plan");
    let version = format!("\"coverplan_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    std::fs::write(&path, text.replacen(&version, "\"coverplan_version\": \"0.0.9\"", 1)).expect("written");
    let other = coverplan(scene.folder.path(), &["verify", "small.plan", "--json"]);
    assert_eq!(code(&other), 0);
    assert!(stderr(&other).contains("another version wrote the plan"), "{}", stderr(&other));
    assert!(stdout(&other).contains("\"files_compared\":false"), "{}", stdout(&other));
    std::fs::write(&path, text.replacen(&version, "\"coverplan_version\": null", 1)).expect("written");
    assert_eq!(code(&coverplan(scene.folder.path(), &["verify", "small.plan"])), 1, "no version is no other version");
}

#[test]
fn verify_checks_the_certificate() {
    let scene = small();
    let solve = ["solve", "scenario.toml", "--overwrite", "--method", "search"];
    assert_eq!(code(&coverplan(scene.folder.path(), &solve)), 0);
    let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
    assert_eq!(code(&verified), 0, "{}", stderr(&verified));
    assert!(stderr(&verified).contains("bound proven by its certificate"), "{}", stderr(&verified));
    let path = scene.path("small.plan/certificate.json");
    let text = std::fs::read_to_string(&path).expect("a certificate");
    let edits = [
        (text.replace("\"rows\":[[", "\"rows\":[[99,1.0],["), 2, "[bad-certificate]"),
        (text.replace("\"size\":[1", "\"size\":[2"), 1, "[bound-unproven]"),
        (String::from("{}"), 2, "[bad-certificate]"),
    ];
    for (edited, exit, finding) in edits {
        assert_ne!(edited, text, "{finding}");
        std::fs::write(&path, edited).expect("a file can be written");
        let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
        assert_eq!(code(&verified), exit, "{}", stderr(&verified));
        assert!(stderr(&verified).contains(finding), "{}", stderr(&verified));
    }
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(code(&coverplan(scene.folder.path(), &["verify", "small.plan"])), 2);
}

#[test]
fn verify_names_an_input_that_changed() {
    let scene = small();
    assert_eq!(code(&coverplan(scene.folder.path(), &["solve", "scenario.toml"])), 0);
    std::fs::write(scene.path("sites.csv"), SITES.replace(",5\n", ",6\n")).expect("a file can be written");
    let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
    assert_eq!(code(&verified), 2);
    assert!(stderr(&verified).contains("input-changed"), "{}", stderr(&verified));
    assert!(stderr(&verified).contains("sites.csv"), "{}", stderr(&verified));
}

#[test]
fn a_plan_is_replaced_only_when_asked() {
    let scene = small();
    let folder = scene.folder.path();
    assert_eq!(code(&coverplan(folder, &["solve", "scenario.toml"])), 0);
    let again = coverplan(folder, &["solve", "scenario.toml"]);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("--overwrite"), "{}", stderr(&again));
    assert_eq!(code(&coverplan(folder, &["solve", "scenario.toml", "--overwrite"])), 0);
    let foreign = coverplan(folder, &["solve", "scenario.toml", "--overwrite", "--output", "."]);
    assert_ne!(code(&foreign), 0, "a folder that is no plan is never replaced");
    assert!(scene.path("sites.csv").exists());
}

#[test]
fn same_input_gives_same_bytes_whatever_the_threads() {
    let scene = small();
    for (folder, threads) in [("one", "1"), ("two", "2")] {
        assert_eq!(
            code(&coverplan(scene.folder.path(), &["solve", "scenario.toml", "-o", folder, "--threads", threads])),
            0
        );
    }
    for name in ["placements.geojson", "sites.geojson", "reach.geojson", "links.geojson", "plan.gpkg"] {
        let read = |folder: &str| std::fs::read(scene.path(folder).join(name)).expect("a file of the plan");
        assert_eq!(read("one"), read("two"), "{name}");
    }
}

#[test]
fn the_plan_can_be_solved_again_from_its_own_scenario() {
    let scene = small();
    assert_eq!(
        code(&coverplan(scene.folder.path(), &["solve", "scenario.toml", "--set", "unit_types.unit.reach.km=20"])),
        0
    );
    let again = coverplan(scene.folder.path(), &["solve", "small.plan/scenario.toml", "-o", "again"]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    let read = |folder: &str| std::fs::read(scene.path(folder).join("placements.geojson")).expect("placements");
    assert_eq!(read("small.plan"), read("again"));
}

#[test]
fn data_goes_to_stdout_when_asked() {
    let scene = small();
    let json = coverplan(scene.folder.path(), &["solve", "scenario.toml", "--json", "--quiet"]);
    let plan: serde_json::Value = serde_json::from_str(&stdout(&json)).expect("plan.json on stdout");
    assert_eq!(plan["name"], "small");
    assert_eq!(stderr(&json), "");
    let stream = coverplan(scene.folder.path(), &["solve", "scenario.toml", "-o", "-"]);
    let placements: serde_json::Value = serde_json::from_str(&stdout(&stream)).expect("GeoJSON on stdout");
    assert_eq!(placements["features"][0]["properties"]["location_id"], "L1");
}

#[test]
fn progress_comes_as_json_lines() {
    let scene = small();
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml", "--progress", "json"]);
    let lines: Vec<serde_json::Value> = stderr(&output)
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let stages: Vec<&str> = lines.iter().filter_map(|line| line["stage"].as_str()).collect();
    for stage in ["read", "cover", "model", "solve", "judge", "write"] {
        assert!(stages.contains(&stage), "{stages:?}");
    }
    assert!(lines.iter().all(|line| line["v"] == 1));
}

#[test]
fn infeasible_questions_exit_three_and_name_the_conflict() {
    let scene = small();
    let text = format!("{SCENARIO}minimum = 1\n");
    std::fs::write(scene.path("scenario.toml"), text).expect("a file can be written");
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert_eq!(entries(&scene.path("small.plan")), ["plan.json", "scenario.toml"]);
    let plan = std::fs::read_to_string(scene.path("small.plan/plan.json")).expect("plan.json");
    assert!(plan.contains("offer A unit count 1"), "{plan}");
    assert!(plan.contains("minimum 1, site"), "{plan}");
    assert_eq!(code(&coverplan(scene.folder.path(), &["verify", "small.plan"])), 0);
}

#[test]
fn bad_input_exits_two_with_every_problem_and_writes_nothing() {
    let scene = small();
    let text = SCENARIO.replace("km = 30", "km = -30").replace("\ncount = 1", "\ncount = 1\ncolour = \"red\"");
    std::fs::write(scene.path("scenario.toml"), text).expect("a file can be written");
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml"]);
    assert_eq!(code(&output), 2);
    assert_eq!(entries(scene.folder.path()), ["locations.csv", "scenario.toml", "sites.csv"]);
    assert!(stderr(&output).contains("unknown-key"), "{}", stderr(&output));
}

#[test]
fn bad_usage_exits_two() {
    let scene = small();
    for arguments in
        [&["solve"][..], &["fly"], &["solve", "scenario.toml", "--gap", "much"], &["solve", "a", "--set", "x"]]
    {
        assert_eq!(code(&coverplan(scene.folder.path(), arguments)), 2, "{arguments:?}");
    }
    assert_eq!(code(&coverplan(scene.folder.path(), &["--help"])), 0);
    assert_eq!(code(&coverplan(scene.folder.path(), &["--version"])), 0);
}

#[test]
fn help_says_what_each_verb_does() {
    let scene = small();
    let mut text = String::new();
    for arguments in
        [&["--help"][..], &["solve", "--help"], &["check", "--help"], &["verify", "--help"], &["init", "--help"]]
    {
        text += &stdout(&coverplan(scene.folder.path(), arguments));
        text += "\n----\n";
    }
    insta::assert_snapshot!("help", text);
}

#[test]
fn check_shows_what_the_question_looks_like() {
    let scene = small();
    let output = coverplan(scene.folder.path(), &["check", "scenario.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("3 sites"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "", "stdout is for data that was asked for");
    let hopeless = format!("{}minimum = 1\n", SCENARIO.replace("km = 30", "km = 5"));
    std::fs::write(scene.path("scenario.toml"), hopeless).expect("a file can be written");
    let output = coverplan(scene.folder.path(), &["check", "scenario.toml"]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    assert!(stderr(&output).contains("minimum 1, site b: no allowed location reaches it"), "{}", stderr(&output));
    let far = SCENARIO.replace("km = 30", "km = 5");
    std::fs::write(scene.path("scenario.toml"), far).expect("a file can be written");
    let output = coverplan(scene.folder.path(), &["check", "scenario.toml"]);
    assert_eq!(code(&output), 0, "unreachable sites are a warning");
    assert!(stderr(&output).contains("[site-unreachable]"), "{}", stderr(&output));
    assert_eq!(entries(scene.folder.path()), ["locations.csv", "scenario.toml", "sites.csv"]);
}

#[test]
fn init_makes_a_scenario_that_solves() {
    let scene = small();
    let folder = scene.folder.path();
    assert_eq!(code(&coverplan(folder, &["init", "fresh"])), 0);
    let solved = coverplan(&folder.join("fresh"), &["solve", "scenario.toml"]);
    assert_eq!(code(&solved), 0, "{}", stderr(&solved));
    assert_eq!(code(&coverplan(folder, &["init", "fresh"])), 2, "nothing is replaced unasked");
    let own = coverplan(folder, &["init", "own", "--sites", "sites.csv", "--locations", "locations.csv"]);
    assert_eq!(code(&own), 0, "{}", stderr(&own));
    let text = std::fs::read_to_string(scene.path("own/scenario.toml")).expect("a scenario");
    assert!(text.contains("3 points"), "{text}");
    let solved = coverplan(&folder.join("own"), &["solve", "scenario.toml"]);
    assert_eq!(code(&solved), 0, "{}", stderr(&solved));
}

#[test]
fn schema_completions_and_manual_come_out() {
    let scene = small();
    let folder = scene.folder.path();
    let schema: serde_json::Value = serde_json::from_str(&stdout(&coverplan(folder, &["schema"]))).expect("JSON");
    assert!(schema["properties"]["unit_types"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&coverplan(folder, &["completions", shell])).contains("solve"));
    }
    assert!(stdout(&coverplan(folder, &["man"])).starts_with(".ie"));
}

/// Texts of the code blocks of a language in a document.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    let text = std::fs::read_to_string(path).expect("the document");
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn commands_and_scenario_of_the_readme_work() {
    let scene = Scene::new(&[]);
    let commands: Vec<String> = blocks("README.md", "sh")
        .iter()
        .flat_map(|block| block.lines())
        .map(|line| line.split('#').next().unwrap_or_default().trim().to_owned())
        .filter(|line| line.starts_with("coverplan "))
        .collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let output = coverplan(scene.folder.path(), &command.split_whitespace().skip(1).collect::<Vec<_>>());
        assert_eq!(code(&output), 0, "{command}: {}", stderr(&output));
    }
    let scenario = blocks("README.md", "toml").swap_remove(0);
    std::fs::write(scene.path("clinics/scenario.toml"), scenario).expect("a file can be written");
    let output = coverplan(scene.folder.path(), &["solve", "clinics/scenario.toml", "-o", "readme.plan"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// The example of docs/formats.md names files that are not there, and nothing else is wrong with it.
#[test]
fn the_scenario_of_the_formats_is_sound() {
    let example = blocks("docs/formats.md", "toml").swap_remove(0);
    let points = "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{\"id\":\"L12\",\
        \"kind\":\"port\",\"weight\":1},\"geometry\":{\"type\":\"Point\",\"coordinates\":[30,50]}}]}";
    let scene = Scene::new(&[("scenario.toml", &example), ("sites.geojson", points), ("locations.geojson", points)]);
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// A question that takes long: 2,000 sites as their own candidates, covered twice.
pub(crate) fn long() -> Scene {
    let mut sites = String::from("id,lon,lat,weight\n");
    let mut number: u64 = 7;
    let mut next = || {
        number = number * 48_271 % 2_147_483_647;
        f64::from(u32::try_from(number).expect("31 bits")) / 2_147_483_647.0
    };
    for id in 0..2_000 {
        sites += &format!(
            "{id},{:.5},{:.5},{}\n",
            10.0 + 4.0 * next(),
            48.0 + 4.0 * next(),
            (1000.0 * next()).floor() + 1.0
        );
    }
    let text = SCENARIO
        .replace("source = \"locations.csv\"", "generate = \"sites\"\nmax_units = 1")
        .replace("\ncount = 1", "\ncount = 25")
        + "levels = [0, 1]\n";
    Scene::new(&[("scenario.toml", &text), ("sites.csv", &sites)])
}

#[test]
fn a_time_limit_gives_the_best_plan_so_far_with_its_bound() {
    let scene = long();
    let output = coverplan(scene.folder.path(), &["solve", "scenario.toml", "--time-limit", "2"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scene.path("small.plan/plan.json")).expect("plan.json")).expect("JSON");
    assert_eq!(plan["status"], "feasible");
    assert_eq!(plan["stop_reason"], "time_limit");
    assert!(plan["objective"]["bound"].as_f64() > plan["objective"]["value"].as_f64());
}

#[cfg(unix)]
#[test]
fn the_first_interrupt_writes_the_best_plan_so_far() {
    for (signal, exit) in [("INT", 130), ("TERM", 143)] {
        let scene = long();
        let child = Command::new(env!("CARGO_BIN_EXE_coverplan"))
            .args(["solve", "scenario.toml", "--progress", "json"])
            .current_dir(scene.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut child = child;
        let mut stderr = std::io::BufReader::new(child.stderr.take().expect("stderr is piped"));
        let mut heard = String::new();
        // The search has begun once its stage is announced.
        while !heard.contains("\"solve\"") {
            let read = std::io::BufRead::read_line(&mut stderr, &mut heard).expect("a line of progress");
            assert!(read > 0, "ended before it searched: {heard}");
        }
        let kill =
            Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().expect("kill runs");
        assert!(kill.success());
        let since = Instant::now();
        std::io::Read::read_to_string(&mut stderr, &mut heard).expect("the rest of stderr");
        let status = child.wait().expect("the command ends");
        assert_eq!(status.code(), Some(exit), "{heard}");
        assert!(since.elapsed() < Duration::from_secs(25), "stopped only after {:?}", since.elapsed());
        let verified = coverplan(scene.folder.path(), &["verify", "small.plan"]);
        assert_eq!(code(&verified), 0, "{}", String::from_utf8_lossy(&verified.stderr));
        writeln!(std::io::stderr(), "stopped by {signal} after {:?}", since.elapsed()).expect("stderr is open");
    }
}
