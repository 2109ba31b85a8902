import APIModel

/// What `--format name` can tell.
protocol NamedView: Encodable { var name: String { get } }

extension MachineView: NamedView {}
extension NodeView: NamedView {}
extension ClusterView: NamedView {}
extension OSReleaseView: NamedView {}
extension ProfileView: NamedView {}
extension OperationView: NamedView { var name: String { id } }

extension FormatOption {
    func write(_ view: some NamedView) throws { try write(view, names: [view.name]) }

    func write(_ views: [some NamedView]) throws { try write(views, names: views.map(\.name)) }
}
