//! Faults that end the solver's process: the plan and a true bound come out all the same.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::cli::long;
use crate::scene::Scene;

fn plan(scene: &Scene) -> serde_json::Value {
    let text = std::fs::read(scene.path("small.plan/plan.json")).expect("plan.json is there");
    serde_json::from_slice(&text).expect("plan.json is JSON")
}

fn verified(folder: &Path) -> bool {
    let mut verify = Command::new(env!("CARGO_BIN_EXE_coverplan"));
    verify.args(["verify", "small.plan"]).current_dir(folder).output().expect("the command runs").status.success()
}

/// The process that a process started, as Linux tells it.
fn child_of(process: u32) -> Option<u32> {
    let text = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The worker is killed once and, the second time, again: a plan is written with a bound that holds.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_is_killed_costs_the_proof_and_not_the_plan() {
    for kills in [1, 2] {
        let scene = long();
        let mut command = Command::new(env!("CARGO_BIN_EXE_coverplan"))
            .args(["solve", "scenario.toml", "--progress", "json", "--time-limit", "4"])
            .current_dir(scene.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut lines = std::io::BufReader::new(command.stderr.take().expect("stderr is piped")).lines();
        for _ in 0..kills {
            // A plan is known once progress tells a value.
            let mut heard = lines.by_ref().map_while(Result::ok);
            assert!(heard.any(|line| line.contains("\"search\"") && !line.contains("\"value\":null")));
            let worker = child_of(command.id()).expect("the worker is there");
            assert!(Command::new("kill").args(["-KILL", &worker.to_string()]).status().expect("kill runs").success());
            assert!(heard.any(|line| line.contains("going on with what is known")));
        }
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        assert_eq!(command.wait().expect("the command ends").code(), Some(0), "{rest:?}");
        assert!(rest.iter().any(|line| line.contains("warning [solver-fault] solver")), "{rest:?}");
        let plan = plan(&scene);
        let faults = plan["solve"]["faults"].as_array().expect("a list");
        assert_eq!(faults.len(), kills);
        assert!(faults.iter().all(|fault| fault.as_str().is_some_and(|words| words.contains("signal 9 (SIGKILL)"))));
        assert!(plan["objective"]["value"].as_f64() > Some(0.0));
        assert!(plan["objective"]["bound"].as_f64() >= plan["objective"]["value"].as_f64());
        assert!(verified(scene.folder.path()));
    }
}

/// With too little memory for HiGHS, and enough for the rest.
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_costs_the_proof_and_not_the_plan() {
    let scene = long();
    let solve = format!(
        "ulimit -v 150000; exec {} solve scenario.toml --method compact --threads 1 --time-limit 120",
        env!("CARGO_BIN_EXE_coverplan")
    );
    let output = Command::new("sh").args(["-c", &solve]).current_dir(scene.folder.path()).output().expect("sh runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let plan = plan(&scene);
    let faults = plan["solve"]["faults"].as_array().expect("a list");
    assert!(faults[0].as_str().is_some_and(|words| words.contains("SIGABRT")), "{said}");
    assert!(plan["objective"]["value"].as_f64() > Some(0.0));
    assert!(verified(scene.folder.path()));
}
