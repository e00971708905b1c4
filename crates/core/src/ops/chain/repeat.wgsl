// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// Makes the image larger, or smaller, as upsample.wgsl does.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const HEIGHT = 14u; // of the result
    const WIDTH = 14u;
    const CHANNELS = 2u;
    const FACTOR = 2u;
    //</constants>
    const VECTORS = HEIGHT * WIDTH * CHANNELS;
    for (var i = thread; i < VECTORS; i += THREADS) {
        let channel = i % CHANNELS;
        let column = i / CHANNELS % WIDTH;
        let row = i / CHANNELS / WIDTH + image * HEIGHT; // of all images, one below another
        var x = vec4f();
        //<upsample>
        x = LINK_X((row / FACTOR * (WIDTH / FACTOR) + column / FACTOR) * CHANNELS + channel);
        //</upsample>
        //<pool>
        for (var t = 0u; t < FACTOR * FACTOR; t++) {
            x += LINK_X(((row * FACTOR + t / FACTOR) * WIDTH * FACTOR + column * FACTOR + t % FACTOR) * CHANNELS + channel);
        }
        //</pool>
        LINK_PUT(x, image * VECTORS + i, channel);
    }
}
