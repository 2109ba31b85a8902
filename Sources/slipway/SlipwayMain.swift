import Commands

@main
struct SlipwayMain {
    static func main() async { await SlipwayCommand.run() }
}
