//! A plan turned into plan.json: status, numbers, limits and how it was found.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Report;
use crate::scenario::{ObjectiveKind, relative_path, weighted_share};

/// The text of plan.json.
pub(super) fn text(report: &Report<'_>, folder: Option<&Path>) -> String {
    let (scenario, plan) = (report.scenario, report.plan);
    let mut members = json!({
        "name": scenario.name,
        "title": scenario.title,
        "coverplan_version": report.version,
        "status": plan.status,
        "stop_reason": plan.stop_reason,
        "objective": {
            "kind": plan.objective.kind.word(),
            "value": plan.objective.value,
            "bound": plan.objective.bound,
            "gap": plan.objective.gap,
            "proof": if plan.certificate.is_some() { "certificate" } else { "solver" },
        },
        "requirements": requirements(report),
        "contributors": contributors(report),
        "phases": scenario.phases.iter()
            .map(|phase| json!({"id": phase.id, "starts": phase.starts, "weight": phase.weight}))
            .collect::<Vec<_>>(),
        "placements": plan.placements.len(),
        "verdict": {
            "accepted": report.verdict.accepted,
            "violations": report.verdict.violations.iter()
                .map(|violation| json!({"code": violation.code, "text": violation.text}))
                .collect::<Vec<_>>(),
        },
        "solve": {
            "seconds": (plan.search.seconds * 1e3).round() / 1e3,
            "method": plan.search.method,
            "nodes": plan.search.nodes,
            "variables": plan.search.variables,
            "rows": plan.search.rows,
            "reductions": plan.search.reductions.iter()
                .map(|(name, count)| ((*name).to_owned(), json!(count)))
                .collect::<Map<String, Value>>(),
            "trace": plan.search.trace.iter()
                .map(|moment| json!({
                    "seconds": (moment.seconds * 1e3).round() / 1e3,
                    "method": moment.method,
                    "value": moment.value,
                    "bound": moment.bound,
                }))
                .collect::<Vec<_>>(),
        },
        "inputs": scenario.inputs.iter()
            .map(|input| {
                let path = folder.map_or_else(|| input.path.display().to_string(), |to| relative_path(&input.path, to));
                json!({"path": path, "sha256": input.sha256})
            })
            .collect::<Vec<_>>(),
        "options": {
            "time_limit_s": scenario.options.time_limit_s,
            "gap": scenario.options.gap,
            "seed": scenario.options.seed,
            "threads": scenario.options.threads,
            "method": scenario.options.method.word(),
            "sites": plan.listed,
        },
    });
    if !plan.search.faults.is_empty() {
        members["solve"]["faults"] = json!(plan.search.faults);
    }
    if let Some((name, parts)) = parts(report) {
        members[name] = json!(parts);
    }
    if !plan.conflict.is_empty() {
        members["conflict"] = json!(plan.conflict);
        members["conflict_is_smallest"] = json!(plan.is_conflict_smallest);
    }
    format!("{members:#}\n")
}

fn requirements(report: &Report<'_>) -> Vec<Value> {
    let scenario = report.scenario;
    let entry = |result: &crate::plan::RequirementResult| {
        json!({
            "id": scenario.requirements[result.requirement].id,
            "phase_id": scenario.phases[result.phase].id,
            "share": result.share,
            "covered_weight": result.covered_weight,
            "total_weight": result.total_weight,
            "sites": result.sites,
            "sites_covered": result.sites_covered,
            "by_level": result.by_level,
        })
    };
    report.plan.requirements.iter().map(entry).collect()
}

/// Shares of the groups, or what every loss leaves and costs, where the objective is the worst of them.
fn parts(report: &Report<'_>) -> Option<(&'static str, Vec<Value>)> {
    let parts = report.verdict.parts.iter();
    match report.scenario.objective.kind {
        ObjectiveKind::MaxMin => {
            Some(("groups", parts.map(|part| json!({"group": part.id, "share": part.share})).collect()))
        }
        ObjectiveKind::WithstandLoss => {
            let shares: Vec<f64> = report.plan.requirements.iter().map(|result| result.share).collect();
            let whole = weighted_share(report.scenario, &shares);
            let loss = |part: &crate::verify::Share| json!({"contributor_id": part.id, "share": part.share, "loss": whole - part.share});
            Some(("losses", parts.map(loss).collect()))
        }
        _ => None,
    }
}

pub(super) fn contributors(report: &Report<'_>) -> Vec<Value> {
    let usage = super::summary::usage(report);
    let entry = |(place, contributor): (usize, &crate::scenario::Contributor)| {
        let usage = &usage[place];
        let limit =
            |limit: String, used: u64, available: u64| json!({"limit": limit, "used": used, "available": available});
        let mut limits = Vec::new();
        limits.extend(contributor.max_units.map(|most| limit("max_units".to_owned(), usage.units, u64::from(most))));
        limits.extend(contributor.max_headcount.map(|most| limit("max_headcount".to_owned(), usage.headcount, most)));
        limits.extend(usage.by_type.iter().map(|(unit_type, used, offered)| {
            limit(format!("offer {}", report.scenario.unit_types[*unit_type].id), *used, *offered)
        }));
        json!({"id": contributor.id, "units": usage.units, "headcount": usage.headcount, "limits": limits})
    };
    report.scenario.contributors.iter().enumerate().map(entry).collect()
}
