//! The keys of objective and solve as types.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to aim for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Objective {
    /// Which quantity.
    #[serde(default)]
    pub(super) kind: ObjectiveKind,
    /// The share to reach with the least, for the min- objectives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) coverage: Option<f64>,
}

/// Which quantity a plan makes as large or as small as possible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectiveKind {
    /// The mean of the requirements' shares, weighted by importance.
    #[default]
    MaxCoverage,
    /// Units.
    MinUnits,
    /// People.
    MinHeadcount,
    /// Cost.
    MinCost,
    /// The share of the worst-served group.
    MaxMin,
    /// The share after the worst loss of any one contributor.
    WithstandLoss,
}

impl ObjectiveKind {
    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MaxCoverage => "max-coverage",
            Self::MinUnits => "min-units",
            Self::MinHeadcount => "min-headcount",
            Self::MinCost => "min-cost",
            Self::MaxMin => "max-min",
            Self::WithstandLoss => "withstand-loss",
        }
    }

    /// True where less is better.
    #[must_use]
    pub fn is_minimum(self) -> bool {
        matches!(self, Self::MinUnits | Self::MinHeadcount | Self::MinCost)
    }
}

/// Limits of the search.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Solve {
    /// Seconds.
    pub(super) time_limit_s: f64,
    /// Stop when proven within this fraction.
    pub(super) gap: f64,
    /// Starts every random choice.
    pub(super) seed: u32,
    /// 0: all cores.
    pub(super) threads: u32,
    /// How to solve.
    pub(super) method: Method,
}

/// How a program is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// What suits the program's size and shape.
    #[default]
    Auto,
    /// One mixed-integer model for HiGHS.
    Compact,
    /// Search, a bound from prices, and a model of what the two leave open.
    Decompose,
    /// Search alone, with a bound from prices.
    Search,
}

impl Method {
    /// The word used in files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Compact => "compact",
            Self::Decompose => "decompose",
            Self::Search => "search",
        }
    }
}

impl Default for Solve {
    fn default() -> Self {
        Self { time_limit_s: 60.0, gap: 0.0, seed: 0, threads: 0, method: Method::Auto }
    }
}
