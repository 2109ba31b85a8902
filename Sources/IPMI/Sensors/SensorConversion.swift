/// From a raw byte to a number (§36.3): y = L((M·x + B·10^K1)·10^K2).
public struct SensorConversion: Equatable, Sendable {
    /// 0: unsigned, 1: ones' complement, 2: two's complement.
    public var format: UInt8
    /// Table 43-1, byte 24.
    public var linearization: UInt8
    /// Ten bits, signed.
    public var m: Int
    public var b: Int
    /// Four bits, signed: powers of ten of B and of the result.
    public var bExponent: Int
    public var resultExponent: Int

    /// Nil for a sensor without a number.
    /// - Parameter factors: bytes 25 to 30 of a full record, or those of Get Sensor Reading Factors (§35.5).
    init?(format: UInt8, linearization: UInt8, factors: some Collection<UInt8>) {
        let factors = Array(factors)
        guard format != 3, factors.count >= 6 else { return nil }
        (self.format, self.linearization) = (format, linearization & 0x7f)
        m = Self.signed(Int(factors[0]) | Int(factors[1] >> 6) << 8, bits: 10)
        b = Self.signed(Int(factors[2]) | Int(factors[3] >> 6) << 8, bits: 10)
        resultExponent = Self.signed(Int(factors[5] >> 4), bits: 4)
        bExponent = Self.signed(Int(factors[5] & 15), bits: 4)
    }

    /// The factors are other ones for each reading, and have to be asked for (70h to 7Fh).
    public var isNonLinear: Bool { linearization >= 0x70 }

    /// With the factors of one reading, as Get Sensor Reading Factors tells them; nil when they are too short.
    public func with(factors: some Collection<UInt8>) -> Self? {
        Self(format: format, linearization: linearization, factors: factors)
    }

    /// Nil where there is none: a logarithm of a negative number, a division by zero.
    public func value(_ raw: UInt8) -> Double? {
        let x: Double =
            switch format {
            case 1: raw & 0x80 == 0 ? Double(raw) : -Double(~raw)
            case 2: Double(Int8(bitPattern: raw))
            default: Double(raw)
            }
        let offset = Self.scaled(Double(b), bExponent)
        let linear = Self.scaled(Double(m) * x + offset, resultExponent)
        let value = linearized(linear)
        return value.isFinite ? value : nil
    }

    private func linearized(_ y: Double) -> Double {
        switch linearization {
        case 1: Self.log(y)
        case 2: Self.log(y) / Self.log(10)
        case 3: Self.log(y) / Self.log(2)
        case 4: Self.exp(y)
        case 5: Self.exp(y * Self.log(10))
        case 6: Self.exp(y * Self.ln2)
        case 7: 1 / y
        case 8: y * y
        case 9: y * y * y
        case 10: y.squareRoot()
        // Cube root.
        case 11: y == 0 ? 0 : y < 0 ? -Self.exp(Self.log(-y) / 3) : Self.exp(Self.log(y) / 3)
        // Linear; and for non-linear sensors the factors are those of this reading.
        default: y
        }
    }

    private static let ln2 = 0.6931471805599453

    /// `value` times a power of ten, -8 to 7.
    private static func scaled(_ value: Double, _ exponent: Int) -> Double {
        let power = (0..<abs(exponent)).reduce(1.0) { product, _ in product * 10 }
        return exponent < 0 ? value / power : value * power
    }

    // The C library's functions are out of reach: what is linked here imports no C library.

    /// e to the power of x: x is cut into a whole number of ln 2 and a small rest, whose series ends soon.
    static func exp(_ x: Double) -> Double {
        guard abs(x) < 700 else { return x < 0 ? 0 : .infinity }
        let twos = (x / ln2).rounded()
        let rest = x - twos * ln2
        var (sum, term) = (1.0, 1.0)
        for n in 1...20 {
            term *= rest / Double(n)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(twos), significand: sum)
    }

    /// Natural logarithm: ln(m·2^e) = 2·artanh((m−1)/(m+1)) + e·ln 2, with 1 ≤ m < 2.
    static func log(_ x: Double) -> Double {
        guard x > 0, x.isFinite else { return .nan }
        let ratio = (x.significand - 1) / (x.significand + 1)
        var (sum, power) = (0.0, ratio)
        for n in stride(from: 1.0, to: 41, by: 2) {
            sum += power / n
            power *= ratio * ratio
        }
        return 2 * sum + Double(x.exponent) * ln2
    }

    private static func signed(_ value: Int, bits: Int) -> Int {
        value >= 1 << (bits - 1) ? value - (1 << bits) : value
    }
}
