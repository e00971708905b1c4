// Comes after ../total.wgsl and ../random.wgsl and ../functions.wgsl and ../chain.wgsl.
//
// A link of a chain: see chain.wgsl.

// What even_out does, by the moments of all images of the batch: those of more values than an image has lie apart as its own do, and
// as the images' means do from the mean of all.
fn LINK_run(image: u32, thread: u32) {
    //<constants>
    const PIXELS = 49u;
    const CHANNELS = 2u;
    const WIDE = 2u;
    const GROUP = 16u; // images of a batch
    const ROWS = 2u;
    //</constants>
    let slots = THREADS / WIDE;
    let column = thread % WIDE;
    for (var block = 0u; block < CHANNELS; block += WIDE) {
        let channel = block + column;
        let first = image / GROUP * GROUP * ROWS * CHANNELS + channel;
        var sum = vec4f();
        var other = vec4f();
        for (var i = thread / WIDE; i < GROUP; i += slots) {
            sum += LINK_M(first + i * ROWS * CHANNELS);
            //<backward>
            other += LINK_M(first + (i * ROWS + 2u) * CHANNELS);
            //</backward>
        }
        let means = columns(sum, other, thread, WIDE);
        let mean = means[0] / f32(GROUP);
        let mean_of_other = means[1] / f32(GROUP);
        sum = vec4f();
        other = vec4f();
        for (var i = thread / WIDE; i < GROUP; i += slots) {
            let at = first + i * ROWS * CHANNELS;
            let apart = LINK_M(at) - mean;
            sum += LINK_M(at + CHANNELS) + f32(PIXELS) * apart * apart;
            //<backward>
            other += LINK_M(at + 3u * CHANNELS) + f32(PIXELS) * apart * (LINK_M(at + 2u * CHANNELS) - mean_of_other);
            //</backward>
        }
        let sums = columns(sum, other, thread, WIDE);
        let inverse = inverseSqrt(sums[0] / f32(GROUP * PIXELS) + params.epsilon);
        let along = sums[1] / f32(GROUP * PIXELS) * inverse * inverse;
        // Those that are no whole row have only summed along.
        for (var i = select(PIXELS, thread / WIDE, thread < slots * WIDE); i < PIXELS; i += slots) {
            let at = (image * PIXELS + i) * CHANNELS + channel;
            var x = LINK_FROM(at) - mean;
            //<backward>
            x = LINK_X(at) - mean_of_other - x * along;
            //</backward>
            LINK_PUT(x * inverse, at, channel);
        }
    }
}
