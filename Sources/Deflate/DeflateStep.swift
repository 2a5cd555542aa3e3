import CZlib

/// Runs one step of zlib that appends up to `room` bytes to `output`; returns zlib's status.
func append(
    to output: inout [UInt8], room: uInt, from stream: UnsafeMutablePointer<z_stream>,
    step: (UnsafeMutablePointer<z_stream>) -> Int32
) -> Int32 {
    var status = Z_STREAM_ERROR
    output.append(addingCapacity: Int(room)) { target in
        unsafe target.withUnsafeMutableBufferPointer { buffer, count in
            unsafe stream.pointee.next_out = buffer.baseAddress
            unsafe stream.pointee.avail_out = room
            status = unsafe step(stream)
            unsafe count = Int(room - stream.pointee.avail_out)
        }
    }
    return status
}
