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
@group(0) @binding(1) var<storage, read_write> m0: array<u32>;
//</memories>

override THREADS: u32 = 256u;

// What threads have summed that share a value: as many as THREADS at most.
var<workgroup> sums: array<f32, 256>;

@compute @workgroup_size(THREADS)
fn run(@builtin(local_invocation_index) thread: u32) {
    //<loops>
    for (var n = thread; n < 16u; n += THREADS) {
        let iw = n % 16u;
        var x = 0.0;
        for (var t = 0u; t < 8u; t++) {
            x += bitcast<f32>(m0[64u + iw + t * 16u]);
        }
        x = 0.5 * x;
        m0[iw] = bitcast<u32>(function_of(8u, x, 0.0));
    }
    storageBarrier();
    //</loops>
}
