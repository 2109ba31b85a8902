import APIModel

/// What `--format name` can tell.
protocol NamedView: Encodable { var name: String { get } }

extension MachineView: NamedView {}
extension NodeView: NamedView {}
extension ClusterView: NamedView {}
extension OSReleaseView: NamedView {}
extension OperatingSystemView: NamedView {}
extension ReleaseFetchView: NamedView {}
extension ProfileView: NamedView {}
extension RenderingView: NamedView { var name: String { machine } }
extension InstallationView: NamedView { var name: String { operation } }
extension OperationView: NamedView { var name: String { id } }

extension FormatOption {
    func write(_ view: some NamedView) throws { try write(view, names: [view.name]) }

    func write(_ views: [some NamedView]) throws { try write(views, names: views.map(\.name)) }
}
