// The order in which a run visits images, without any table: see gather.rs for the schedule.

const ROUNDS = 6u;

// A hash of one word onto another (Wellons' lowbias32).
fn scramble(word: u32) -> u32 {
    var x = word;
    x = (x ^ (x >> 16u)) * 0x7feb352du;
    x = (x ^ (x >> 15u)) * 0x846ca68bu;
    return x ^ (x >> 16u);
}

// Where a shuffle of n things puts `position`: a Feistel network over the smallest domain of an even number of bits
// (8 or more) that holds n, walked on until it comes back below n.
fn shuffled(position: u32, n: u32, seed: u32, epoch: u32) -> u32 {
    let key = scramble(seed ^ scramble(epoch + 0x9e3779b9u));
    let half_bits = max((33u - countLeadingZeros(n - 1u)) / 2u, 4u);
    let mask = (1u << half_bits) - 1u;
    var x = position;
    loop {
        var left = x >> half_bits;
        var right = x & mask;
        for (var round = 0u; round < ROUNDS; round++) {
            let swapped = left ^ (scramble(right ^ scramble(key + round)) & mask);
            left = right;
            right = swapped;
        }
        x = (left << half_bits) | right;
        continuing {
            break if x < n;
        }
    }
    return x;
}

// The image at a position of the run of `seed`: the opening pass over the `first` images takes `opening` positions.
fn image_at(position: u32, seed: u32, first: u32, total: u32, opening: u32, available: u32) -> u32 {
    if (position < opening) {
        return shuffled(position, first, seed, 0u);
    }
    let n = select(total, first, available < total && first < total);
    let since = position - opening;
    return shuffled(since % n, n, seed, since / n + 1u);
}

