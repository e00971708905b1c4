// Comes after functions.wgsl.
//
// Small operations one after another in one workgroup: loops over strided tensors, a thread a value, with a barrier where
// one needs what another wrote. block/writer.rs writes a loop for each operation, and binds the memories that they touch; what
// stands here between the marks is a sample. Memories are words, so that integers pass as they are.

struct Params {
    parts: u32, // operations; for whoever looks at the buffer
}

@group(0) @binding(0) var<uniform> params: Params;
//<memories>
@group(0) @binding(1) var<storage, read_write> memory_0: array<u32>;
const COUNT = 64u;
const ROWS = 32u;
const SEEN = 32u;
const COLUMNS = 64u;
const CHANNELS = 64u;
const SHARERS = 8u;
const EPSILON = 1e-5;
const VALUE = 0.0;
const SLOPE = 0.0;
const WORD = 0u;
var<private> PLACE: u32;
fn ENDING() {}
//</memories>

override THREADS: u32 = 256u;

// What threads have summed that share a value, or four of them: as many as THREADS at most.
var<workgroup> sums: array<vec4f, 256>;

// The sum over as many neighbours as share it, for each of them.
fn together(x: f32, thread: u32, sharers: u32) -> f32 {
    if (sharers == 1u) {
        return x;
    }
    sums[thread].x = x;
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < sharers; i++) {
        sum += sums[thread / sharers * sharers + i].x;
    }
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(THREADS)
fn run(@builtin(local_invocation_index) thread: u32) {
    //<loops>
    for (var n = thread; n < 16u; n += THREADS) {
        let iw = n % 16u;
        var x = 0.0;
        for (var t = 0u; t < 8u; t++) {
            x += bitcast<f32>(memory_0[64u + iw + t * 16u]);
        }
        x = 0.5 * x;
        memory_0[iw] = bitcast<u32>(function_of(8u, x, 0.0));
    }
    storageBarrier();
    // Normalises columns, as normalize.wgsl does, or is the gradient of that.
    //<columns>
    for (var first = 0u; first < COUNT; first += THREADS / SHARERS) {
        let column = first + thread / SHARERS;
        let start = min(column, COUNT - 1u) / COLUMNS * ROWS * COLUMNS + min(column, COUNT - 1u) % COLUMNS;
        var x = 0.0;
        for (var t = thread % SHARERS; t < SEEN; t += SHARERS) {
            let n = start + t * COLUMNS;
            let iz = n / CHANNELS;
            let iw = n % CHANNELS;
            x += VALUE;
        }
        let mean = together(x, thread, SHARERS) / f32(SEEN);
        x = 0.0;
        var flat = 0.0;
        var along = 0.0;
        for (var t = thread % SHARERS; t < SEEN; t += SHARERS) {
            let n = start + t * COLUMNS;
            let iz = n / CHANNELS;
            let iw = n % CHANNELS;
            x += (VALUE - mean) * (VALUE - mean);
            //<backward>
            flat += SLOPE;
            along += (VALUE - mean) * SLOPE;
            //</backward>
        }
        let inverse = inverseSqrt(together(x, thread, SHARERS) / f32(SEEN) + EPSILON);
        //<backward>
        flat = together(flat, thread, SHARERS) / f32(SEEN);
        along = together(along, thread, SHARERS) / f32(SEEN) * inverse * inverse;
        //</backward>
        for (var t = thread % SHARERS; column < COUNT && t < ROWS; t += SHARERS) {
            let n = start + t * COLUMNS;
            let iz = n / CHANNELS;
            let iw = n % CHANNELS;
            //<forward>
            x = (VALUE - mean) * inverse;
            //</forward>
            //<backward>
            x = (SLOPE - flat - (VALUE - mean) * along) * inverse;
            //</backward>
            ENDING();
            PLACE = WORD;
        }
    }
    //</columns>
    //</loops>
}
