// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// Drops values of the image, as dropout.wgsl does.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const FOURS = 196u; // of an image
    const LANE = 1u; // of the clock, for the counter,
    const AHEAD = 1u; // and how many ticks it is behind
    const SEED = 4u; // the lane that holds the seed
    const STREAM = 16u;
    const RATE = 1050253722u; // the bits of the share that falls out
    //</constants>
    let time = LINK_CLOCK(LANE) + AHEAD;
    let key = vec2u(LINK_CLOCK(SEED), STREAM);
    for (var i = image * FOURS + thread; i < (image + 1u) * FOURS; i += THREADS) {
        let numbers = vec4f(philox(vec4u(i, time, 0u, 0u), key) >> vec4u(8u)) * UNIT;
        LINK_PUT(select(vec4f(), LINK_X(i), numbers >= vec4f(bitcast<f32>(RATE))), i, 0u);
    }
}
