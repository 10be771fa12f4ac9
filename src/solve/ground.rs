//! Posts turned into blocks of posts that cover much the same, so that what a move changes lies together.

use super::layout::Layout;
use crate::cover::Rows;

/// Places of a block, a bit of a byte each.
pub(super) const BLOCK: usize = BITS as usize;
const BITS: u32 = u8::BITS;

/// No post, and no place.
const NONE: u32 = u32::MAX;

/// Where each post has its place; `BLOCK` places after another are a block.
pub(super) struct Ground {
    /// The post of each place; as many places as whole blocks have, the last of them empty.
    posts: Vec<u32>,
    /// Blocks in which posts of each set lie, in order, each with its places of these, as [`packed`] makes them.
    blocks: Rows,
}

impl Ground {
    /// Gathers posts that share most sets.
    ///
    /// # Cost
    /// A look at all posts of all sets of one post in [`BLOCK`], and at all items of the sets.
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let mut posts = gathered(layout);
        posts.resize(posts.len().next_multiple_of(BLOCK), NONE);
        let mut place_of = vec![NONE; layout.program.variables.len()];
        for (place, post) in (0_u32..).zip(&posts).filter(|(_, post)| **post != NONE) {
            place_of[*post as usize] = place;
        }
        let mut blocks = Rows::default();
        let (mut row, mut of_set) = (Vec::new(), Vec::new());
        for set in layout.program.sets.iter() {
            row.clear();
            row.extend(set.iter().map(|variable| place_of[*variable as usize]).filter(|place| *place != NONE));
            row.sort_unstable();
            of_set.clear();
            of_set.extend(row.chunk_by(|a, b| a / BITS == b / BITS).map(packed));
            blocks.push(&of_set);
        }
        Self { posts, blocks }
    }

    /// A place for each of so many posts, in order, and no sets.
    #[cfg(test)]
    pub(super) fn of_posts(count: u32) -> Self {
        let mut posts: Vec<u32> = (0..count).collect();
        posts.resize(posts.len().next_multiple_of(BLOCK), NONE);
        Self { posts, blocks: Rows::default() }
    }

    /// Blocks in which posts of a set lie, in order, each with their places in it, a bit each.
    pub(super) fn blocks_of(&self, set: usize) -> impl Iterator<Item = (usize, u8)> {
        self.blocks.row(set).iter().map(|packed| {
            let [places, ..] = packed.to_le_bytes();
            ((packed >> BITS) as usize, places)
        })
    }

    /// Number of places, those without a post included.
    pub(super) fn len(&self) -> usize {
        self.posts.len()
    }

    /// The post of a place that has one.
    pub(super) fn post(&self, place: usize) -> u32 {
        self.posts[place]
    }

    /// True for a place that has a post.
    pub(super) fn is_taken(&self, place: usize) -> bool {
        self.posts[place] != NONE
    }
}

/// Places of one block as one number: the block, and in the last byte a bit for each place.
fn packed(places: &[u32]) -> u32 {
    places.iter().fold(0, |packed, place| packed | (place / BITS) << BITS | 1 << (place % BITS))
}

/// All posts: one, then those that share most sets with it, as many as a block has; then the next that shares some, or the
/// first that is left; and so on.
fn gathered(layout: &Layout<'_>) -> Vec<u32> {
    let program = layout.program;
    let variables = u32::try_from(program.variables.len()).unwrap_or(NONE);
    let mut is_left: Vec<bool> = (0..variables).map(|variable| layout.is_post(variable)).collect();
    let mut shared = vec![0_u32; program.variables.len()];
    let (mut order, mut near): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    let (mut first, mut next) = (0, None);
    while let Some(seed) = next.or_else(|| (first..variables).find(|variable| is_left[*variable as usize])) {
        if next.is_none() {
            first = seed;
        }
        near.clear();
        for set in layout.sets_of.row(seed as usize) {
            for post in program.sets.row(*set as usize).iter().filter(|post| is_left[**post as usize] && **post != seed)
            {
                if shared[*post as usize] == 0 {
                    near.push(*post);
                }
                shared[*post as usize] += 1;
            }
        }
        near.sort_unstable_by_key(|post| (u32::MAX - shared[*post as usize], *post));
        near.iter().for_each(|post| shared[*post as usize] = 0);
        let taken = BLOCK - 1 - order.len() % BLOCK;
        next = near.get(taken).copied();
        for post in std::iter::once(seed).chain(near.iter().take(taken).copied()) {
            is_left[post as usize] = false;
            order.push(post);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aim, Program, Row, TermGroup, Variable};
    use crate::solve::trials::{Numbers, tied};

    /// Posts of a set, as its blocks and places have them.
    fn placed(ground: &Ground, set: usize) -> Vec<u32> {
        let of_block = |(block, places): (usize, u8)| {
            (0..BLOCK).filter(move |place| places >> place & 1 == 1).map(move |place| block * BLOCK + place)
        };
        let places = ground.blocks_of(set).flat_map(of_block);
        let mut posts: Vec<u32> = places.map(|place| ground.post(place)).collect();
        posts.sort_unstable();
        posts
    }

    #[test]
    fn every_post_has_a_place_and_sets_know_it() {
        let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
        for _ in 0..100 {
            let program = tied(&mut numbers);
            let layout = Layout::new(&program);
            let ground = Ground::new(&layout);
            assert_eq!(ground.len() % BLOCK, 0);
            let mut posts: Vec<u32> =
                (0..ground.len()).filter(|place| ground.is_taken(*place)).map(|place| ground.post(place)).collect();
            posts.sort_unstable();
            let all: Vec<u32> =
                (0_u32..).take(program.variables.len()).filter(|variable| layout.is_post(*variable)).collect();
            assert_eq!(posts, all);
            for set in 0..program.sets.len() {
                let posts = placed(&ground, set);
                let expected: Vec<u32> =
                    program.sets.row(set).iter().copied().filter(|variable| layout.is_post(*variable)).collect();
                assert_eq!(posts, expected);
            }
        }
    }

    /// Posts on a line, each beside its neighbours, in an order without pattern: a set touches few blocks.
    #[test]
    fn posts_that_share_sets_lie_together() {
        const POSTS: u32 = 1024;
        let mut numbers = Numbers(88_172_645_463_325_252);
        let mut line: Vec<u32> = (0..POSTS).collect();
        for place in (1..POSTS).rev() {
            line.swap(place as usize, numbers.below(place + 1) as usize);
        }
        let mut program = Program::new(Aim::MostValue, vec![Variable { most: 1 }; POSTS as usize + 1]);
        let terms = line.iter().map(|post| (*post, 1.0)).chain([(POSTS, -1.0)]).collect();
        program.add_row(Row { rule: String::new(), terms, least: 0.0, most: 0.0 });
        let sets: Vec<Vec<u32>> = line
            .windows(8)
            .map(|posts| {
                let mut posts = posts.to_vec();
                posts.sort_unstable();
                posts
            })
            .collect();
        let group = TermGroup { part: 0, levels: vec![1.0], scale: 1.0, terms: Vec::new() };
        program.add_group(group, sets.iter().map(Vec::as_slice).zip(&vec![1.0; sets.len()]));
        let ground = Ground::new(&Layout::new(&program));
        for (set, posts) in sets.iter().enumerate() {
            assert_eq!(placed(&ground, set), *posts);
        }
        let touched = ground.blocks.items();
        assert!(touched < 3 * sets.len(), "{touched} blocks of {} sets of eight posts", sets.len());
    }
}
