// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// The moments of each channel over the image's pixels, for `evened` behind all images: its mean and how far its squares lie apart; and
// for a gradient the same of what that is with respect to, and the products of both.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const PIXELS = 49u;
    const CHANNELS = 2u; // in vectors
    const WIDE = 2u; // vectors of channels at a time
    const ROWS = 2u; // of moments
    //</constants>
    let slots = THREADS / WIDE; // threads for each of them
    let column = thread % WIDE;
    for (var block = 0u; block < CHANNELS; block += WIDE) {
        let channel = block + column;
        let start = image * PIXELS * CHANNELS + channel;
        var sum = vec4f();
        var other = vec4f();
        for (var i = thread / WIDE; i < PIXELS; i += slots) {
            sum += LINK_FROM(start + i * CHANNELS);
            //<backward>
            other += LINK_X(start + i * CHANNELS);
            //</backward>
        }
        let means = columns(sum, other, thread, WIDE);
        let mean = means[0] / f32(PIXELS);
        let mean_of_other = means[1] / f32(PIXELS);
        sum = vec4f();
        other = vec4f();
        for (var i = thread / WIDE; i < PIXELS; i += slots) {
            let centred = LINK_FROM(start + i * CHANNELS) - mean;
            sum += centred * centred;
            //<backward>
            other += centred * (LINK_X(start + i * CHANNELS) - mean_of_other);
            //</backward>
        }
        let sums = columns(sum, other, thread, WIDE);
        if (thread < WIDE) {
            let to = image * ROWS * CHANNELS + channel;
            LINK_PUT(mean, to, channel);
            LINK_PUT(sums[0], to + CHANNELS, channel);
            //<backward>
            LINK_PUT(mean_of_other, to + 2u * CHANNELS, channel);
            LINK_PUT(sums[1], to + 3u * CHANNELS, channel);
            //</backward>
        }
    }
}
