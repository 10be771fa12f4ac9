//! A scenario turned back into the text of scenario.toml, as it was resolved.

use std::path::{Component, Path, PathBuf};

use super::settings::{self, Offers, Reach, Settings};
use super::{Input, Scenario};
use crate::load::{is_database, without_password};

/// The scenario as a file in `folder`: flags applied, defaults filled in, offers as tables, sources with their hashes
/// and with paths relative to that folder.
#[must_use]
pub fn resolved_text(scenario: &Scenario, folder: &Path) -> String {
    let mut settings: Settings = scenario.settings.clone();
    settings.offers = Offers::Tables(scenario.offers.iter().map(|offer| of_offer(scenario, offer)).collect());
    let resolve = |source: &mut String, sha256: &mut Option<String>| {
        let path = PathBuf::from(without_password(source));
        *sha256 = sha256_of(&scenario.inputs, &path);
        *source = relative_path(&path, folder);
    };
    resolve(&mut settings.sites.source, &mut settings.sites.sha256);
    if let Some(source) = &mut settings.locations.source {
        resolve(source, &mut settings.locations.sha256);
    }
    settings.outlines.iter_mut().for_each(|source| resolve(source, &mut settings.outlines_sha256));
    let places = &mut settings.locations;
    for (source, sha256) in
        [(&mut places.within, &mut places.within_sha256), (&mut places.outside, &mut places.outside_sha256)]
    {
        source.iter_mut().for_each(|source| resolve(source, sha256));
    }
    for entry in &mut settings.contributors {
        for (source, sha256) in
            [(&mut entry.within, &mut entry.within_sha256), (&mut entry.outside, &mut entry.outside_sha256)]
        {
            source.iter_mut().for_each(|source| resolve(source, sha256));
        }
    }
    for unit_type in &mut settings.unit_types {
        if let Reach::Matrix { source, sha256, .. } | Reach::Areas { source, sha256, .. } = &mut unit_type.reach {
            resolve(source, sha256);
        }
        if let Reach::Roads { network, sha256, nodes, nodes_sha256, .. } = &mut unit_type.reach {
            resolve(network, sha256);
            nodes.iter_mut().for_each(|nodes| resolve(nodes, nodes_sha256));
        }
        if let Reach::LineOfSight { terrain, sha256, .. } = &mut unit_type.reach {
            let paths = terrain.list_mut().iter_mut();
            *sha256 = paths
                .map(|path| {
                    let mut hash = None;
                    resolve(path, &mut hash);
                    hash.unwrap_or_default()
                })
                .collect();
        }
    }
    let text = toml::to_string(&settings).expect("settings hold nothing that TOML cannot say");
    format!("# The question of this plan as it was resolved; coverplan verify and coverplan solve read it.\n{text}")
}

fn of_offer(scenario: &Scenario, offer: &super::Offer) -> settings::Offer {
    settings::Offer {
        contributor: scenario.contributors[offer.contributor].id.clone(),
        unit_type: scenario.unit_types[offer.unit_type].id.clone(),
        count: offer.count,
        from: offer.from.clone(),
        until: offer.until.clone(),
    }
}

fn sha256_of(inputs: &[Input], path: &Path) -> Option<String> {
    inputs.iter().find(|input| input.path == path).map(|input| input.sha256.clone())
}

/// A path as seen from a folder, with `/` between its parts; as it is where there is no way between the two.
#[must_use]
pub fn relative_path(path: &Path, folder: &Path) -> String {
    if is_database(path) {
        return path.display().to_string();
    }
    let (Some(path_parts), Some(folder_parts)) = (parts(path), parts(folder)) else {
        return path.display().to_string();
    };
    if path_parts.first() != folder_parts.first() {
        return path.display().to_string();
    }
    let shared = path_parts.iter().zip(&folder_parts).take_while(|(a, b)| a == b).count();
    let up = folder_parts[shared..].iter().map(|_| "..".to_owned());
    up.chain(path_parts[shared..].iter().cloned()).collect::<Vec<_>>().join("/")
}

/// The parts of a path from the root, links resolved as far as it exists.
fn parts(path: &Path) -> Option<Vec<String>> {
    let absolute = std::path::absolute(path).ok()?;
    let existing = absolute.ancestors().find(|ancestor| ancestor.exists())?;
    let rest = absolute.strip_prefix(existing).ok()?;
    let whole = existing.canonicalize().ok()?.join(rest);
    let mut parts = Vec::new();
    for component in whole.components() {
        match component {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other.as_os_str().to_str()?.to_owned()),
        }
    }
    Some(parts)
}
