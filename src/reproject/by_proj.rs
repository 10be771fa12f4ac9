//! Two systems of the EPSG registry turned into a transformation by PROJ.

use std::cell::RefCell;
use std::rc::Rc;

use proj::Proj;

/// What to do about a system that is not known.
pub(super) const ADVICE: &str = "reproject the source yourself: ogr2ogr -t_srs EPSG:4326 out.gpkg INPUT";

/// From a system to another.
pub(super) struct Transformation(Rc<Proj>);

/// Two systems and the way between them.
type Known = (String, String, Rc<Proj>);

thread_local! {
    /// PROJ looks a system up in tens of milliseconds, and layers come ring by ring. What PROJ makes stays on its thread.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

impl Transformation {
    /// `None` for systems that PROJ does not know.
    pub(super) fn new(from: &str, to: &str) -> Option<Self> {
        KNOWN.with_borrow_mut(|known| {
            if let Some((.., proj)) = known.iter().find(|(a, b, _)| (a.as_str(), b.as_str()) == (from, to)) {
                return Some(Self(Rc::clone(proj)));
            }
            let proj = Rc::new(Proj::new_known_crs(from, to, None).ok()?);
            known.push((from.to_owned(), to.to_owned(), Rc::clone(&proj)));
            Some(Self(proj))
        })
    }

    /// One position, `None` where the systems do not hold it.
    pub(super) fn apply(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let (x, y) = self.0.convert((x, y)).ok()?;
        let moved = [x, y];
        moved.iter().all(|ordinate| ordinate.is_finite()).then_some(moved)
    }
}
