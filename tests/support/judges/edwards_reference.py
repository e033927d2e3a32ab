"""edwards25519 from RFC 8032 §5.1.4 and §6 in plain integers: slow, and independent of libsodium."""

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
Affine = tuple[int, int]

IDENTITY: Affine = (0, 1)


def plus(one: Affine, other: Affine) -> Affine:
    (x1, y1), (x2, y2) = one, other
    twist = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + twist, P - 2, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - twist, P - 2, P)
    return x % P, y % P


def times(factor: int, base: Affine) -> Affine:
    total = IDENTITY
    while factor:
        if factor & 1:
            total = plus(total, base)
        base = plus(base, base)
        factor >>= 1
    return total


def decode(raw: bytes) -> Affine:
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return (x if x & 1 == sign else P - x), y


def encode(point: Affine) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
