//! Rings and a position turned into whether it lies within them, in exact arithmetic.

/// True where a position lies inside a polygon or on an edge of it.
///
/// # Source
/// Winding numbers (Sunday 2001), each ring on its own: inside the exterior and outside every hole.
pub(super) fn is_within(rings: &[Vec<[f64; 2]>], at: [f64; 2]) -> bool {
    let mut around = rings.iter().map(|ring| windings(ring, at));
    match around.next() {
        Some(Some(0)) | None => false,
        Some(None) => true,
        // An edge of a hole belongs to the polygon, too.
        Some(Some(_)) => around.all(|turns| turns.is_none_or(|turns| turns == 0)),
    }
}

/// How often a ring runs around a position; `None` on the ring itself.
fn windings(ring: &[[f64; 2]], at: [f64; 2]) -> Option<i64> {
    let mut turns = 0;
    for pair in ring.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let is_level = from[1].min(to[1]) <= at[1] && at[1] <= from[1].max(to[1]);
        if !is_level {
            continue;
        }
        let side = side(from, to, at);
        if side == 0 && from[0].min(to[0]) <= at[0] && at[0] <= from[0].max(to[0]) {
            return None;
        }
        if from[1] <= at[1] && to[1] > at[1] && side > 0 {
            turns += 1;
        } else if from[1] > at[1] && to[1] <= at[1] && side < 0 {
            turns -= 1;
        }
    }
    Some(turns)
}

/// On which side of a line a position lies: 1 left, -1 right, 0 exactly on it.
///
/// # Source
/// The determinant as six products, each split into two numbers without error (fused multiply-add), added without
/// error (Shewchuk 1997, grow-expansion).
fn side(from: [f64; 2], to: [f64; 2], at: [f64; 2]) -> i8 {
    let products =
        [(from[0], to[1]), (-from[1], to[0]), (to[0], at[1]), (-to[1], at[0]), (at[0], from[1]), (-at[1], from[0])];
    let mut parts: Vec<f64> = Vec::with_capacity(12);
    for (a, b) in products {
        let product = a * b;
        for term in [a.mul_add(b, -product), product] {
            let mut carried = term;
            for part in &mut parts {
                let sum = carried + *part;
                let taken = sum - carried;
                *part = (carried - (sum - taken)) + (*part - taken);
                carried = sum;
            }
            parts.push(carried);
        }
    }
    // The last part that is not zero outweighs all before it.
    let sign = parts.into_iter().rev().find(|part| *part != 0.0);
    sign.map_or(0, |sign| if sign > 0.0 { 1 } else { -1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_exact() {
        assert_eq!(side([0.0, 0.0], [1.0, 0.0], [0.5, f64::MIN_POSITIVE]), 1);
        assert_eq!(side([0.0, 0.0], [1.0, 0.0], [0.5, -1e-300]), -1);
        assert_eq!(side([0.1, 0.1], [0.3, 0.3], [0.2, 0.2]), 0);
        // Points a rounding beside the line through 12 and 24, where plain arithmetic errs.
        let near = 0.500_000_000_000_011;
        let (a, b) = ([12.0, 12.0], [24.0, 24.0]);
        assert_eq!(side(a, b, [near, near]), 0);
        assert_eq!(side(a, b, [near, near + f64::EPSILON]), 1);
        assert_eq!(side(a, b, [near + f64::EPSILON, near]), -1);
    }

    #[test]
    fn holes_are_outside_and_edges_inside() {
        let square = |from: f64, to: f64| vec![[from, from], [to, from], [to, to], [from, to], [from, from]];
        let rings = [square(0.0, 4.0), square(1.0, 2.0)];
        for (at, expected) in
            [([0.5, 0.5], true), ([1.5, 1.5], false), ([1.0, 1.5], true), ([4.0, 4.0], true), ([4.1, 2.0], false)]
        {
            assert_eq!(is_within(&rings, at), expected, "{at:?}");
        }
    }
}
