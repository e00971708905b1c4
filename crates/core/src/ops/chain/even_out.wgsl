// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// Normalises the image, as normalize.wgsl does, or is the gradient of that.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const VECTORS = 98u; // of an image
    const LANES = 4u; // values in a vector
    const CHANNELS = 2u; // in vectors
    //</constants>
    const N = f32(LANES * VECTORS);
    const USED = vec4f(vec4u(0u, 1u, 2u, 3u) < vec4u(LANES));
    let start = image * VECTORS;
    var part = vec2f();
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        part.x += dot(LINK_FROM(i), vec4f(1.0));
        //<backward>
        part.y += dot(LINK_X(i), vec4f(1.0));
        //</backward>
    }
    let mean = total(part, thread) / N;
    part = vec2f();
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        let centred = (LINK_FROM(i) - mean.x) * USED;
        part.x += dot(centred, centred);
        //<backward>
        part.y += dot(centred, LINK_X(i));
        //</backward>
    }
    let second = total(part, thread) / N;
    let inverse = inverseSqrt(second.x + params.epsilon);
    for (var i = start + thread; i < start + VECTORS; i += THREADS) {
        var x = LINK_FROM(i) - mean.x;
        //<backward>
        x = LINK_X(i) - mean.y - x * (second.y * inverse * inverse);
        //</backward>
        LINK_PUT(x * inverse, i, (i - start) % CHANNELS);
    }
}
