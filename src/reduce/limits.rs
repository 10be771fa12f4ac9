//! A program's rows turned into the largest value that each variable can have at all.

use crate::model::Program;

/// For every variable, the largest value that the rows allow it, looked at one by one.
///
/// # Cost
/// A few passes over the rows.
///
/// # Source
/// Bound tightening by activities: Savelsbergh 1994.
#[must_use]
pub fn limits(program: &Program) -> Vec<u32> {
    /// Limits of pledges reach posts through the balance rows, and posts reach protected posts: two steps and one more.
    const PASSES: usize = 3;
    let mut most: Vec<u32> = program.variables.iter().map(|variable| variable.most).collect();
    for _ in 0..PASSES {
        let before = most.clone();
        for row in program.rows.iter().filter(|row| row.most.is_finite()) {
            // The smallest sum that the other variables of the row can have.
            let (least, _) = row.ends(|variable| (0, most[variable as usize]));
            for (variable, factor) in row.terms.iter().filter(|(_, factor)| *factor > 0.0) {
                let room = ((row.most - least) / factor).floor();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to u32")]
                let room = room.clamp(0.0, f64::from(u32::MAX)) as u32;
                let most = &mut most[*variable as usize];
                *most = room.min(*most);
            }
        }
        if most == before {
            break;
        }
    }
    most
}
