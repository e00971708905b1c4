// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// Moves the image, or back, as translate.wgsl does; value by value.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const HEIGHT = 28u;
    const WIDTH = 28u;
    const CHANNELS = 1u;
    const LANE = 1u; // of the clock, for the counter,
    const AHEAD = 1u; // and how many ticks it is behind
    const SEED = 4u; // the lane that holds the seed
    const STREAM = 7u;
    const MOST = 3u; // pixels
    const BACKWARDS = 0u;
    const FILL = 3212836864u; // the bits of what comes in at the edges
    //</constants>
    const LINE = WIDTH * CHANNELS;
    let words = philox(vec4u(image, LINK_CLOCK(LANE) + AHEAD, 0u, 0u), vec2u(LINK_CLOCK(SEED), STREAM));
    let shift = (vec2i(words.xy % (2u * MOST + 1u)) - i32(MOST)) * select(1i, -1i, BACKWARDS == 1u);
    for (var i = thread; i < HEIGHT * LINE; i += THREADS) {
        let at = vec2i(vec2u(i / LINE, i % LINE / CHANNELS)) + shift;
        var value = vec4f(bitcast<f32>(FILL));
        if (all(at >= vec2i()) && all(at < vec2i(vec2u(HEIGHT, WIDTH)))) {
            value = vec4f(LINK_X(image * HEIGHT * LINE + u32(at.x) * LINE + u32(at.y) * CHANNELS + i % CHANNELS));
        }
        LINK_PUT(value, image * HEIGHT * LINE + i, i % CHANNELS);
    }
}
